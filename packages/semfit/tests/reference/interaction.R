# Make products of indicators and probe a latent interaction with semTools; writes interaction.json beside this script.
#
#   apt-get install r-cran-semtools r-cran-jsonlite    (Debian 12: semTools 0.5-6, lavaan 0.6-14; this script installs nothing)
#   Rscript packages/semfit/tests/reference/interaction.R              (from anywhere; seconds)
suppressMessages({library(semTools); library(jsonlite)})

here <- dirname(normalizePath(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE))))
data <- read.csv(file.path(here, "data", "holzinger_swineford.csv"))[paste0("x", 1:9)]
first <- paste0("x", 1:3); second <- paste0("x", 4:6)

products <- list(
  matched = indProd(data, first, second, match = TRUE, meanC = TRUE, doubleMC = TRUE),
  matched_once = indProd(data, first, second, match = TRUE, meanC = TRUE, doubleMC = FALSE),
  all = indProd(data, first, second, match = FALSE, meanC = TRUE, doubleMC = TRUE))
kept <- lapply(products, function(frame) as.list(frame[1:20, grep("\\.", names(frame))]))

model <- "
visual =~ x1 + x2 + x3
textual =~ x4 + x5 + x6
product =~ x1.x4 + x2.x5 + x3.x6
speed =~ x7 + x8 + x9
speed ~ visual + textual + product
"
fit <- sem(model, products$matched, estimator = "MLR", meanstructure = TRUE,
  control = list(rel.tol = 1e-14, iter.max = 20000, eval.max = 40000), optim.force.converged = TRUE, optim.attempts = 1L)
slopes <- probe2WayMC(fit, c("visual", "textual", "product"), "speed", "textual", c(-1, 0, 0.5, 1))$SimpleSlope
write_json(list(about = list(semTools = as.character(packageVersion("semTools")), lavaan = as.character(packageVersion("lavaan"))),
  products = kept, chisq = fitMeasures(fit)[["chisq"]],
  slopes = lapply(as.list(as.data.frame(unclass(slopes))), as.numeric)),
  file.path(here, "interaction.json"), digits = NA, auto_unbox = TRUE)
