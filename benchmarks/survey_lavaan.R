# lavaan's side of benchmarks/survey_calibration.py: fit the model of a folder by robust ML, with fit measures and the
# standardised solution, and write processor seconds and chi2 to out.json there.
suppressMessages({library(lavaan); library(jsonlite)})
folder <- commandArgs(TRUE)[1]
data <- read.csv(file.path(folder, "data.csv"))
model <- fromJSON(file.path(folder, "task.json"))$model
used <- system.time({
  fit <- sem(model, data = data, estimator = "MLR")
  tables <- list(parameterEstimates(fit), standardizedSolution(fit), measures <- fitMeasures(fit))
})
write_json(list(seconds = used[["user.self"]] + used[["sys.self"]], chisq = measures[["chisq"]],
  version = as.character(packageVersion("lavaan"))), file.path(folder, "out.json"), auto_unbox = TRUE, digits = NA)
