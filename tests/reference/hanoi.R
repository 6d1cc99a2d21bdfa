# Standardised paths of the claim model on the Hanoi survey by lavaan 0.6-14, R 4.2: the values in hanoi.csv.
# The rows are not committed. From the root, with the fetched file:
#   python -c "import pandas; pandas.read_excel('data/fetched/hanoi_social_commerce_impulse.xlsx').to_csv('answers.csv', index=False)"
#   Rscript tests/reference/hanoi.R answers.csv tests/reference/hanoi.csv
suppressMessages(library(lavaan))
files <- commandArgs(trailingOnly = TRUE)
answers <- read.csv(files[1])
constructs <- c("PAR", "TRU", "HED", "ENJ", "URG")
model <- paste(c(sprintf("%s =~ %s1 + %s2 + %s3", constructs, constructs, constructs, constructs),
                 "URG ~ PAR + TRU + HED + ENJ"), collapse = "\n")
distinct <- !duplicated(answers)
varied <- apply(answers, 1, function(row) length(unique(row)) > 1)
samples <- list(all = rep(TRUE, nrow(answers)), distinct = distinct, varied = varied,
                "distinct and varied" = distinct & varied)
rows <- list()
for (estimator in c("WLSMV", "ML")) for (name in names(samples)) {
  part <- answers[samples[[name]], ]
  fit <- if (estimator == "ML") sem(model, part) else sem(model, part, ordered = TRUE, estimator = "WLSMV")
  path <- subset(standardizedSolution(fit), op == "~")
  chisq <- fitMeasures(fit, if (estimator == "ML") "chisq" else "chisq.scaled")
  rows[[length(rows) + 1]] <- data.frame(estimator, sample = name, driver = path$rhs, estimate = path$est.std,
                                         standard_error = path$se, chisq = as.numeric(chisq))
}
write.csv(format(do.call(rbind, rows), digits = 10), files[2], row.names = FALSE, quote = FALSE)
