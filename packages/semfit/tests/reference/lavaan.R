# Fit every model of models.json with lavaan and write what it finds to lavaan.json.
#
#   apt-get install r-cran-lavaan r-cran-jsonlite      (Debian 12: R 4.2.2, lavaan 0.6-14; this script installs nothing)
#   Rscript packages/semfit/tests/reference/lavaan.R                   (from anywhere; about a minute)
#
# Settings: likelihood "normal", so moments and chi2 of ML divide by N (DWLS and WLSMV by N - 1); expected information for
# ML and MLM, observed (Hessian) for MLR and FIML. The optimiser runs until a relative change of 1e-14, which nlminb may
# call "false convergence", and Newton steps follow; so convergence is forced and judged by the gradient, whose largest
# absolute element (in the directions the constraints leave free) is kept beside each model. The EM algorithm of the saturated model runs to 1e-13.
suppressMessages({library(lavaan); library(jsonlite)})

here <- dirname(normalizePath(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE))))
models <- fromJSON(file.path(here, "models.json"), simplifyVector = TRUE, simplifyDataFrame = FALSE)

names_in_lavaan <- c(weights = "sampling.weights", std_lv = "std.lv", mean_structure = "meanstructure", group_equal = "group.equal")
measures <- c("npar", "chisq", "df", "pvalue", "chisq.scaled", "df.scaled", "pvalue.scaled", "chisq.scaling.factor",
  "baseline.chisq", "baseline.df", "baseline.chisq.scaled", "cfi", "tli", "nfi", "rfi", "ifi", "rni", "cfi.scaled", "tli.scaled",
  "cfi.robust", "tli.robust", "logl", "unrestricted.logl", "aic", "bic", "bic2", "rmsea", "rmsea.ci.lower",
  "rmsea.ci.upper", "rmsea.pvalue", "rmsea.scaled", "rmsea.ci.lower.scaled", "rmsea.ci.upper.scaled", "rmsea.pvalue.scaled",
  "rmsea.robust", "rmsea.ci.lower.robust", "rmsea.ci.upper.robust", "rmsea.pvalue.robust", "srmr", "gfi", "agfi", "mfi", "ecvi")

read_data <- function(spec) {
  data <- read.csv(file.path(here, "data", paste0(spec$data, ".csv")))
  if (!is.null(spec$args$rows)) data <- data[seq_len(spec$args$rows), ]
  if (is.null(spec$pick)) data else data[spec$pick, ]
}

fit_one <- function(spec, start = NULL) {
  args <- spec$args[names(spec$args) != "rows"]
  names(args) <- ifelse(names(args) %in% names(names_in_lavaan), names_in_lavaan[names(args)], names(args))
  how <- if (is.null(start)) list(control = list(rel.tol = 1e-14, iter.max = 20000, eval.max = 40000)) else
    list(start = start, optim.method = "none", fixed.x = TRUE)  # `start` alone would free the covariates
  common <- list(model = spec$model, data = read_data(spec), optim.force.converged = TRUE, optim.attempts = 1L,
    em.h1.tol = 1e-13, em.h1.iter.max = 20000L)
  do.call("sem", c(common, how, args))
}

# Directions in which the constraints that bind let the free parameters move.
free_directions <- function(fit) {
  jacobian <- fit@Model@con.jac
  free <- diag(fit@Model@nx.free)
  if (is.null(jacobian) || nrow(jacobian) == 0) return(free)
  loose <- attr(jacobian, "inactive.idx")  # inequalities that hold anyway
  if (length(loose) > 0) jacobian <- jacobian[-loose, , drop = FALSE]
  if (nrow(jacobian) == 0) return(free)
  decomposition <- qr(t(jacobian))
  qr.Q(decomposition, complete = TRUE)[, -seq_len(decomposition$rank), drop = FALSE]
}

slope <- function(fit) crossprod(free_directions(fit), as.numeric(lavInspect(fit, "gradient")))

# nlminb stops at a gradient near 1e-6: Newton steps with lavaan's own gradient and information go the rest of the way.
polish <- function(spec, fit) {
  for (step in 1:20) {
    if (max(abs(slope(fit))) < 1e-10) break
    K <- free_directions(fit)
    table <- parTable(fit)
    free <- which(table$free > 0)
    kind <- if (is.null(spec$args$ordered)) "information.observed" else "information"
    move <- tryCatch(K %*% solve(crossprod(K, lavInspect(fit, kind) %*% K), slope(fit)), error = function(e) NULL)
    if (is.null(move)) break
    table$est[free] <- table$est[free] - move[table$free[free]]
    better <- fit_one(spec, table)
    if (max(abs(slope(better))) >= max(abs(slope(fit)))) break
    fit <- better
  }
  fit
}

kept <- function(frame, columns) frame[, intersect(columns, names(frame))]

describe <- function(spec) {
  warnings <- character(0)
  out <- withCallingHandlers(tryCatch({
    fit <- polish(spec, fit_one(spec))
    estimates <- parameterEstimates(fit, remove.nonfree = FALSE)
    standard <- standardizedSolution(fit)
    result <- list(
      converged = lavInspect(fit, "converged"),
      gradient = max(abs(slope(fit))),
      nobs = sum(lavInspect(fit, "nobs")),
      fit = as.list(fitMeasures(fit)[intersect(measures, names(fitMeasures(fit)))]),
      estimates = kept(estimates, c("lhs", "op", "rhs", "label", "group", "est", "se")),
      standardized = kept(standard, c("lhs", "op", "rhs", "group", "est.std", "se")),
      r2 = lavInspect(fit, "r2")
    )
    # modindices() forgets that the weights of a composite are estimated; lavTestScore(fit, add = "x8 ~~ x9") does not
    if ((is.null(spec$args$estimator) || !is.null(spec$args$ordered)) && is.null(spec$args$missing) &&
        !grepl("<~", spec$model, fixed = TRUE)) {
      indices <- tryCatch(modindices(fit), error = function(e) NULL)
      if (!is.null(indices)) result$modification <- kept(indices, c("lhs", "op", "rhs", "group", "mi", "epc"))
    }
    if (!is.null(spec$args$ordered) && is.null(spec$args$group)) result$polychoric <- unclass(lavInspect(fit, "sampstat")$cov)
    result
  }, error = function(e) list(error = conditionMessage(e))),
  warning = function(w) { warnings <<- c(warnings, conditionMessage(w)); invokeRestart("muffleWarning") })
  out$warnings <- warnings
  out
}

results <- lapply(models, describe)

# Difference tests between pairs of those models.
comparisons <- lapply(fromJSON(file.path(here, "comparisons.json")), function(pair) {
  both <- lapply(models[c(pair$full, pair$restricted)], function(spec) polish(spec, fit_one(spec)))
  table <- suppressWarnings(lavTestLRT(both[[1]], both[[2]], method = if (pair$method == "standard") "default" else pair$method))
  list(chisq = table[2, "Chisq diff"], df = table[2, "Df diff"], pvalue = table[2, "Pr(>Chisq)"])
})

# Residual moments with their standard errors, group by group.
residuals_of <- function(spec) {
  left <- suppressWarnings(lavResiduals(polish(spec, fit_one(spec)), type = "raw", se = TRUE))
  lapply(if (is.null(spec$args$group)) list(left) else unname(left[sapply(left, is.list)]),
    function(one) lapply(one[intersect(c("cov", "cov.se", "cov.z", "mean", "mean.se", "mean.z"), names(one))],
      function(x) if (is.matrix(x)) { dimnames(x) <- NULL; unclass(x) } else as.numeric(x)))
}
residuals <- lapply(models[c("hs_cfa", "hs_means", "democracy_equal", "school_configural", "mlr_hs", "mlm_hs", "fiml_hs", "mimic", "mimic_fiml")],
  residuals_of)

# Wald test, and estimates from the resamples and leave-one-out samples that simulate.py chose.
mediation <- models$mediation
wald <- lavTestWald(polish(mediation, fit_one(mediation)), "a == b\nc == 0")
effect <- function(rows) {
  picked <- c(mediation, list(pick = rows))
  coef(polish(picked, fit_one(picked)), type = "user")[["indirect"]]
}
resamples <- as.matrix(read.csv(file.path(here, "data", "sim_resamples.csv")))
boot <- list(indirect = suppressWarnings(apply(resamples, 1, effect)),
  leave_one_out = suppressWarnings(sapply(1:20, function(k) effect(-k))))
about <- list(program = "lavaan", version = as.character(packageVersion("lavaan")), r = R.version.string,
  divisor = "N (DWLS, WLSMV: N less the number of groups)", information = "expected (MLR, FIML: observed)")
write_json(list(about = about, models = results, comparisons = comparisons, residuals = residuals,
  wald = list(chisq = wald$stat, df = wald$df, pvalue = wald$p.value), bootstrap = boot), file.path(here, "lavaan.json"), digits = NA, auto_unbox = TRUE,
  na = "null", dataframe = "columns")
for (name in names(results)) {
  r <- results[[name]]
  cat(sprintf("%-22s chi2 %12.4f  gradient %9.1e  %.90s\n", name, if (is.null(r$fit$chisq)) NA else r$fit$chisq,
    if (is.null(r$gradient)) NA else r$gradient, paste(trimws(sub("lavaan WARNING:", "", unique(c(r$error, r$warnings)))), collapse = " | ")))
}
