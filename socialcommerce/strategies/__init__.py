"""The paper's advice tested: messages, sessions, group buying and deliveries from committed counts and moments."""
