# Fit the models that stress.py wrote into a folder with lavaan, as its users would, and write what it says to stress.json.
#
#   python packages/semfit/tests/reference/stress.py FOLDER && Rscript packages/semfit/tests/reference/stress.R FOLDER
#
# lavaan's own settings, so that "solved" means what it means there: converged, standard errors, no message beside them.
suppressMessages({library(lavaan); library(jsonlite)})

here <- dirname(normalizePath(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE))))
folder <- commandArgs(TRUE)[1]
models <- fromJSON(file.path(folder, "models.json"), simplifyVector = TRUE, simplifyDataFrame = FALSE)
names_in_lavaan <- c(std_lv = "std.lv", group_equal = "group.equal")
known <- c("negative variances" = "some estimated ov variances are negative", "negative variances" = "some estimated lv variances are negative",
  "latent covariances not positive definite" = "covariance matrix of latent variables",
  "residual covariances not positive definite" = "covariance matrix of the residuals",
  "no standard errors" = "Could not compute standard errors", "no standard errors" = "could not compute standard errors",
  "information not positive definite" = "vcov) does not appear to be positive definite",
  "not converged" = "the optimizer warns that a solution has NOT been found", "not converged" = "did NOT converge", "gradient" = "gradient",
  "few rows" = "small number of observations", "few rows" = "number of observations", "empty cells" = "empty", "EM" = "EM", "zero cells" = "zero cell")

fit_one <- function(name) {
  spec <- models[[name]]
  args <- spec$args
  args <- args[lengths(args) > 0]
  names(args) <- ifelse(names(args) %in% names(names_in_lavaan), names_in_lavaan[names(args)], names(args))
  said <- character(0)
  begin <- proc.time()[["elapsed"]]
  out <- withCallingHandlers(tryCatch({
    fit <- do.call("sem", c(list(model = spec$model, data = read.csv(file.path(folder, paste0(name, ".csv")))), args))
    converged <- lavInspect(fit, "converged")
    found <- list(converged = converged, iterations = lavInspect(fit, "iterations"), npar = lavInspect(fit, "npar"))
    if (converged) {
      table <- parTable(fit)
      error <- if (is.null(fit@vcov$vcov)) rep(NA, nrow(table)) else table$se
      free <- which(table$free > 0)
      picked <- free[seq_len(min(8, length(free)))]
      measures <- tryCatch(fitMeasures(fit)[c("chisq", "df", "fmin", "logl", "gfi", "agfi", "srmr")], error = function(e) c(chisq = NA, df = NA))
      found <- c(found, as.list(measures), if (length(fit@test) > 1) list(scaled = fit@test[[2]]$stat), list(
        smallest = min(c(table$est[free][table$op[free] == "~~" & table$lhs[free] == table$rhs[free]], Inf)),
        errors = all(is.finite(error[free])), est = table$est[picked], se = error[picked]))
    }
    found
  }, error = function(e) list(error = conditionMessage(e))),
  warning = function(w) { said <<- c(said, conditionMessage(w)); invokeRestart("muffleWarning") })
  short <- unlist(lapply(gsub("\\s+", " ", said), function(text) {
    hit <- vapply(known, function(k) grepl(k, text, fixed = TRUE), NA)
    if (any(hit)) names(known)[which(hit)[1]] else text
  }))
  out$said <- I(unique(as.character(short)))
  out$seconds <- round(proc.time()[["elapsed"]] - begin, 2)
  cat(sprintf("%-24s %5s chi2 %10.4f %6.1f s  %.120s\n", name, if (is.null(out$converged)) "error" else out$converged,
    if (is.null(out$chisq)) NA else out$chisq, out$seconds, paste(c(out[["error"]], out$said), collapse = " | ")))
  out
}

# names after the folder fit these alone and keep the answers of the others (all take half an hour, full information most)
file <- file.path(here, "stress.json")
asked <- if (length(commandArgs(TRUE)) > 1) commandArgs(TRUE)[-1] else names(models)
results <- if (file.exists(file)) fromJSON(file, simplifyDataFrame = FALSE)$models else list()
results[asked] <- lapply(asked, fit_one)
results <- lapply(results[intersect(names(models), names(results))], function(one) { one$said <- I(as.character(one$said)); one })
text <- vapply(names(results), function(name) sprintf("  %s: %s", toJSON(name, auto_unbox = TRUE), toJSON(results[[name]], auto_unbox = TRUE, digits = I(9), na = "null")), "")
about <- toJSON(list(program = "lavaan", version = as.character(packageVersion("lavaan")), r = R.version.string), auto_unbox = TRUE)
writeLines(c("{", sprintf(" \"about\": %s,", about), " \"models\": {", paste(text, collapse = ",\n"), " }", "}"), file)
