# Fit with lavaan what docs/coming-from-lavaan.md and docs/coming-from-amos-and-smartpls.md fit; writes migration.csv beside this script.
#
#   apt-get install r-cran-lavaan    (Debian 12: lavaan 0.6-14; this script installs nothing)
#   Rscript packages/semfit/tests/reference/migration.R              (from anywhere; a minute)
library(lavaan)

here <- dirname(normalizePath(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE))))
read <- function(name) read.csv(file.path(here, "data", paste0(name, ".csv")))
found <- data.frame()
keep <- function(model, names, values) found <<- rbind(found, data.frame(model, name = names, value = as.numeric(values)))
labelled <- function(model, fit) {
  own <- subset(parameterEstimates(fit), op %in% c("~", ":="))
  keep(model, paste(own$lhs, own$op, ifelse(own$op == "~", own$rhs, ""), "est"), own$est)
  keep(model, paste(own$lhs, own$op, ifelse(own$op == "~", own$rhs, ""), "se"), own$se)
}
measures <- function(model, fit, names) keep(model, names, fitMeasures(fit, names))

bollen <- read("political_democracy")
model <- "
  ind60 =~ x1 + x2 + x3
  dem60 =~ y1 + y2 + y3 + y4
  dem65 =~ y5 + y6 + y7 + y8
  dem60 ~ a*ind60
  dem65 ~ c*ind60 + b*dem60
  indirect := a*b
"
fit <- sem(model, data = bollen)
labelled("first", fit)
measures("first", fit, c("chisq", "df", "pvalue", "cfi", "tli", "rmsea", "srmr", "aic"))

robust <- sem(model, data = bollen, estimator = "MLR")
labelled("robust", robust)
measures("robust", robust, c("chisq.scaled", "cfi.robust", "rmsea.robust"))

holes <- read("hs_holes")
factors <- "
  visual =~ x1 + x2 + x3
  textual =~ x4 + x5 + x6
  speed =~ x7 + x8 + x9
"
missing <- sem(factors, data = holes, missing = "fiml")
measures("missing", missing, c("chisq", "cfi", "rmsea", "logl"))

schools <- read("holzinger_swineford")
metric <- sem(factors, data = schools, group = "school", group.equal = "loadings")
scalar <- sem(factors, data = schools, group = "school", group.equal = c("loadings", "intercepts"))
test <- lavTestLRT(metric, scalar)
keep("groups", c("metric chisq", "scalar chisq", "d_chisq", "d_df"), c(fitMeasures(metric, "chisq"), fitMeasures(scalar, "chisq"), test[2, "Chisq diff"], test[2, "Df diff"]))

answers <- read("sim_ordinal12")
items <- "
  f1 =~ o11 + o12 + o13 + o14
  f2 =~ o21 + o22 + o23 + o24
  f3 =~ o31 + o32 + o33 + o34
"
ordinal <- sem(items, data = answers, estimator = "WLSMV", ordered = TRUE)
measures("ordinal", ordinal, c("chisq.scaled", "df", "cfi.scaled", "rmsea.scaled", "srmr"))

girls <- subset(schools, school == "Grant-White" & sex == 2)
two <- "
  spatial =~ x1 + x2 + x3
  verbal =~ x4 + x5 + x6
"
amos <- sem(two, data = girls)
measures("amos", amos, c("chisq", "df", "npar", "gfi", "agfi", "nfi", "rfi", "ifi", "tli", "cfi", "rmsea", "rmsea.ci.lower", "rmsea.ci.upper", "rmsea.pvalue"))
keep("amos", paste("r2", c("x1", "x2", "x3", "x4", "x5", "x6")), lavInspect(amos, "rsquare")[paste0("x", 1:6)])

write.csv(data.frame(lavaan = as.character(packageVersion("lavaan")), found), file.path(here, "migration.csv"), row.names = FALSE)
