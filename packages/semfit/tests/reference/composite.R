# Two composites, one of them explained, and a factor: the refined Henseler-Ogasawara specification written out, by lavaan.
#
#   Rscript packages/semfit/tests/reference/composite.R       (R 4.2.2, lavaan 0.6-14; from anywhere; some seconds)
#
# Every composite has two excrescent variables, each with its own item (loading 1) and the first one, related to each other
# alone. Weights are a row of the inverse of all loadings, standardised, their errors by the delta method: nothing here
# knows the shorter form that semfit::composite writes. Schuberth (2023), doi:10.1037/met0000432; Yu, Schuberth & Henseler
# (2023), doi:10.1002/sam.11608.
suppressMessages({library(lavaan); library(jsonlite)})
here <- dirname(normalizePath(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE))))
data <- read.csv(file.path(here, "data", "holzinger_swineford.csv"))
blocks <- list(visual = c("x1", "x2", "x3"), speed = c("x9", "x7", "x8"))
excrescent <- c("visual2", "visual3", "speed2", "speed3")
apart <- function(pair) if (identical(substr(pair[1], 1, 5), substr(pair[2], 1, 5))) NULL else paste(pair[1], "~~ 0*", pair[2])
model <- c("
  visual =~ 1*x1 + x2 + x3
  visual2 =~ 1*x2 + start(-0.5)*x1
  visual3 =~ 1*x3 + start(-0.5)*x1
  speed =~ 1*x9 + x7 + x8
  speed2 =~ 1*x7 + start(-0.5)*x9
  speed3 =~ 1*x8 + start(-0.5)*x9
  textual =~ x4 + x5 + x6
  textual ~ visual
  speed ~ textual + visual
  visual2 ~~ visual3
  speed2 ~~ speed3", paste0(c("visual", "speed", excrescent), " ~~ start(0.5)*", c("visual", "speed", excrescent)), paste(unlist(blocks), "~~ 0*", unlist(blocks)), paste("visual ~~ 0*", excrescent), paste("speed ~~ 0*", excrescent),
  apply(combn(excrescent, 2), 2, apart) |> unlist())

weights <- function(table) {
  unlist(lapply(names(blocks), function(name) {
    variables <- paste0(name, c("", "2", "3"))
    at <- table$op == "=~" & table$lhs %in% variables
    L <- matrix(0, 3, 3, dimnames = list(blocks[[name]], variables))
    L[cbind(table$rhs, table$lhs)[at, ]] <- table$est.std[at]
    solve(L)[1, ]
  }))
}

fit_one <- function(...) {
  again <- function(...) sem(paste(model, collapse = "\n"), data, control = list(rel.tol = 1e-14, iter.max = 20000, eval.max = 40000),
    optim.force.converged = TRUE, optim.attempts = 1L, ...)
  fit <- again(...)
  for (step in 1:9) {  # nlminb stops early: Newton steps with lavaan's own gradient and information go the rest of the way
    table <- parTable(fit)
    move <- solve(lavInspect(fit, "information.observed"), as.numeric(lavInspect(fit, "gradient")))
    table$est[table$free > 0] <- table$est[table$free > 0] - move[table$free[table$free > 0]]
    fit <- again(start = table, optim.method = "none", ...)
  }
  found <- function(theta) {
    moved <- fit
    moved@Model <- lav_model_set_parameters(fit@Model, theta)
    moved@ParTable$est[moved@ParTable$free > 0] <- theta
    moved@implied <- lav_model_implied(moved@Model)
    weights(standardizedSolution(moved, se = FALSE))
  }
  J <- lav_func_jacobian_simple(found, fit@optim$x)
  std <- subset(standardizedSolution(fit), op %in% c("=~", "~") & !lhs %in% excrescent)
  list(fit = as.list(fitMeasures(fit, c("chisq", "df", "npar", "logl"))), items = unlist(blocks, use.names = FALSE),
    weights = unname(found(fit@optim$x)), se = unname(sqrt(diag(J %*% vcov(fit) %*% t(J)))),
    std = std[c("lhs", "op", "rhs", "est.std", "se")])
}
write_json(list(about = paste("lavaan", packageVersion("lavaan")), ML = fit_one(), MLR = fit_one(estimator = "MLR")),
  file.path(here, "composite.json"), digits = NA, auto_unbox = TRUE, dataframe = "columns")
