# The ladder of invariance across waves, its difference tests, and the change of latent means: models written by semTools, fitted
# by lavaan; and partial invariance written out.
#
#   Rscript packages/semfit/tests/reference/waves.R      (Debian 12: R 4.2.2, lavaan 0.6-14, semTools 0.5-6; a minute)
#
# Democracy in 1960 and 1965 (Bollen 1989), and twelve simulated ordered items taken for four items asked at three times: as
# numbers and as ordered answers. semTools identifies by variances of 1 in the first wave, so that a later latent mean is
# itself the change since then in standard deviations of the first.
suppressMessages({library(lavaan); library(semTools); library(jsonlite)})
here <- dirname(normalizePath(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE))))
democracy <- read.csv(file.path(here, "data", "political_democracy.csv"))
answers <- read.csv(file.path(here, "data", "sim_ordinal12.csv"))
two <- "dem60 =~ y1 + y2 + y3 + y4\n dem65 =~ y5 + y6 + y7 + y8"
three <- "t1 =~ o11 + o12 + o13 + o14\n t2 =~ o21 + o22 + o23 + o24\n t3 =~ o31 + o32 + o33 + o34"
numbers <- list(configural = character(), metric = "loadings", scalar = c("loadings", "intercepts"),
  strict = c("loadings", "intercepts", "residuals"))
ordinal <- list(configural = character(), thresholds = "thresholds", loadings = c("thresholds", "loadings"),
  intercepts = c("thresholds", "loadings", "intercepts"))

ladder <- function(model, data, waves, levels, estimator, ordered = NULL) {
  steps <- lapply(levels, function(equal) {
    text <- measEq.syntax(model, data = data, ordered = ordered, parameterization = "delta", ID.fac = "std.lv",
      ID.cat = "Wu.Estabrook.2016", meanstructure = TRUE, longFacNames = list(f = waves), long.equal = equal, auto = "all")
    sem(as.character(text), data, estimator = estimator, ordered = ordered, meanstructure = TRUE)
  })
  tests <- lapply(2:4, function(k) lavTestLRT(steps[[k - 1]], steps[[k]])[2, c("Chisq diff", "Df diff", "Pr(>Chisq)")])
  found <- parameterEstimates(steps[[if (is.null(ordered)) "scalar" else "intercepts"]])
  means <- subset(found, op == "~1" & lhs %in% waves[-1])
  list(fit = lapply(steps, function(fit) as.list(fitMeasures(fit))), tests = lapply(tests, function(t) unname(unlist(t))),
    means = means[c("lhs", "est", "se")])
}

# y1 and y5 have loadings of their own and so intercepts; y2 and y6 intercepts
partial <- "dem60 =~ 1*y2 + b*y3 + c*y4 + y1
  dem65 =~ 1*y6 + b*y7 + c*y8 + y5
  y1 ~~ y5; y2 ~~ y6; y3 ~~ y7; y4 ~~ y8
  y3 ~ i*1; y7 ~ i*1; y4 ~ j*1; y8 ~ j*1; dem65 ~ m*1; dem60 ~~ v*dem60
  change := m/sqrt(v)"
eased <- sem(partial, democracy, estimator = "MLR")
write_json(list(about = paste("lavaan", packageVersion("lavaan"), "semTools", packageVersion("semTools")),
  ML = ladder(two, democracy, c("dem60", "dem65"), numbers, "ML"),
  MLR = ladder(two, democracy, c("dem60", "dem65"), numbers, "MLR"),
  three = ladder(three, answers, c("t1", "t2", "t3"), numbers, "MLR"),
  WLSMV = ladder(three, answers, c("t1", "t2", "t3"), ordinal, "WLSMV", names(answers)),
  partial = c(as.list(fitMeasures(eased, c("chisq", "df", "chisq.scaled"))),
    as.list(subset(parameterEstimates(eased), op == ":=")[c("est", "se")]))),
  file.path(here, "waves.json"), digits = NA, auto_unbox = TRUE, dataframe = "columns")
