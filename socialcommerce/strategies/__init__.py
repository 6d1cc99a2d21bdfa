"""The paper's advice tested on people: messages, sessions, group buying, deliveries, drivers of purchase, loyalty."""
