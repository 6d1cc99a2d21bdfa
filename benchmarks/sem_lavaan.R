# lavaan's side of benchmarks/sem.py: fit the task in a folder and write seconds, peak memory and chi2 to out.json there.
suppressMessages({library(lavaan); library(jsonlite)})
folder <- commandArgs(TRUE)[1]
task <- fromJSON(file.path(folder, "task.json"))
data <- read.csv(file.path(folder, "data.csv"))
known <- c(std_lv = "std.lv", mean_structure = "meanstructure", group_equal = "group.equal")
args <- task$args
names(args) <- ifelse(names(args) %in% names(known), known[names(args)], names(args))

once <- function() {
  fit <- do.call("sem", c(list(model = task$model, data = data), args))
  if (task$draws > 0) bootstrapLavaan(fit, R = task$draws, FUN = function(x) coef(x, type = "user")) else
    parameterEstimates(fit, standardized = TRUE)
  fitMeasures(fit)[["chisq"]]
}

suppressWarnings(do.call("sem", c(list(model = task$model, data = data), args)))  # first calls are not the task
seconds <- replicate(task$repeats, system.time(chisq <<- suppressWarnings(once()))[["elapsed"]])
peak <- as.numeric(sub("\\D*(\\d+).*", "\\1", grep("VmHWM", readLines("/proc/self/status"), value = TRUE))) / 1024
write_json(list(seconds = median(seconds), peak_mib = peak, chisq = chisq, version = as.character(packageVersion("lavaan"))),
  file.path(folder, "out.json"), auto_unbox = TRUE, digits = NA)
