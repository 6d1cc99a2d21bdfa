# Compute reliability, validity and method-bias statistics with psych, semTools and lavaan and write them to reliability.json.
#
#   apt-get install r-cran-lavaan r-cran-psych r-cran-semtools r-cran-jsonlite
#   Rscript packages/semfit/tests/reference/reliability.R         (Debian 12: lavaan 0.6-14, psych 2.2.9, semTools 0.5-6; a few seconds)
#
# psych is GPL: only its results are kept. Standard errors of alpha come from lavaan: alpha as a defined parameter of the
# saturated model with the sandwich ("robust.huber.white"), whose meat divides by N.
suppressMessages({library(lavaan); library(psych); library(semTools); library(jsonlite)})

here <- dirname(normalizePath(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE))))
load_data <- function(name) read.csv(file.path(here, "data", paste0(name, ".csv")))
hs <- load_data("holzinger_swineford"); mediation <- load_data("sim_mediation"); ordinal <- load_data("sim_ordinal12")
# nlminb stops at a gradient near 1e-6 (and calls a relative change of 1e-14 "false convergence", the warning says no more):
# Newton steps with lavaan's own gradient and information, in the directions equal labels leave free, go the rest of the way.
tight <- list(rel.tol = 1e-14, eval.max = 20000, iter.max = 20000)
slope <- function(fit, K) max(abs(crossprod(K, as.numeric(lavInspect(fit, "gradient")))))
free_directions <- function(jacobian, size) if (is.null(jacobian) || nrow(jacobian) == 0) diag(size) else
  qr.Q(qr(t(jacobian)), complete = TRUE)[, -seq_len(qr(jacobian)$rank), drop = FALSE]
run <- function(model, data, ...) suppressWarnings({
  fit <- cfa(model, data, control = tight, optim.force.converged = TRUE, ...)
  if (length(lavInspect(fit, "ordered"))) return(fit)
  K <- free_directions(fit@Model@con.jac, fit@Model@nx.free)
  for (step in 1:10) {
    if (slope(fit, K) < 1e-11) break
    move <- K %*% solve(crossprod(K, lavInspect(fit, "information.observed") %*% K), crossprod(K, as.numeric(lavInspect(fit, "gradient"))))
    table <- parTable(fit); free <- which(table$free > 0)
    table$est[free] <- table$est[free] - move[table$free[free]]
    better <- cfa(model, data, start = table, optim.method = "none", optim.force.converged = TRUE, ...)
    if (slope(better, K) >= slope(fit, K)) break
    fit <- better
  }
  fit
})
out <- list(versions = lapply(c(lavaan = "lavaan", psych = "psych", semTools = "semTools"), function(p) as.character(packageVersion(p))))

## alpha --------------------------------------------------------------------------------------------------------------
scales <- list(visual = c("x1", "x2", "x3"), textual = c("x4", "x5", "x6"), speed = c("x7", "x8", "x9"), all = paste0("x", 1:9))
saturated <- function(items) {
  k <- length(items); terms <- c(); name <- function(i, j) paste0("s", min(i, j), "_", max(i, j))
  for (i in 1:k) for (j in i:k) terms <- c(terms, paste0(items[i], " ~~ ", name(i, j), "*", items[j]))
  total <- function(at) paste(unlist(lapply(at, function(i) lapply(at, function(j) name(i, j)))), collapse = "+")
  alpha <- function(at) paste0(length(at), "/", length(at) - 1, "*(1-(", paste(sapply(at, function(i) name(i, i)), collapse = "+"), ")/(", total(at), "))")
  pairs <- combn(k, 2)
  r <- paste(apply(pairs, 2, function(p) paste0(name(p[1], p[2]), "/sqrt(", name(p[1], p[1]), "*", name(p[2], p[2]), ")")), collapse = "+")
  rbar <- paste0("(", r, ")/", ncol(pairs))
  defined <- c(paste0("alpha := ", alpha(1:k)), paste0("standardized := ", k, "*", rbar, "/(1+", k - 1, "*", rbar, ")"),
               if (k > 2) sapply(1:k, function(i) paste0("drop", i, " := ", alpha(setdiff(1:k, i)))))
  paste(c(terms, defined), collapse = "\n")
}
out$alpha <- lapply(scales, function(items) {
  a <- suppressWarnings(suppressMessages(psych::alpha(hs[items], check.keys = FALSE, warnings = FALSE)))
  ci <- alpha.ci(a$total$raw_alpha, nrow(hs), length(items))
  fit <- run(saturated(items), hs, se = "robust.huber.white", meanstructure = FALSE)
  d <- subset(parameterEstimates(fit), op == ":=")
  list(alpha = a$total$raw_alpha, standardized = a$total$std.alpha, drop = a$alpha.drop$raw_alpha, rest = a$item.stats$r.drop,
       feldt = c(ci$lower.ci, ci$upper.ci), se = d$se)
})

## omega and AVE ------------------------------------------------------------------------------------------------------
three <- "visual =~ x1 + x2 + x3\n textual =~ x4 + x5 + x6\n speed =~ x7 + x8 + x9"
models <- list(
  plain = three,
  correlated = paste(three, "x7 ~~ x8", "x2 ~~ x7", sep = "\n"),
  standardized = three)
labelled <- paste0("visual =~ a1*x1 + a2*x2 + a3*x3\n x1 ~~ b1*x1\n x2 ~~ b2*x2\n x3 ~~ b3*x3\n visual ~~ 1*visual\n omega := (a1+a2+a3)^2/((a1+a2+a3)^2+b1+b2+b3)
  ave := (a1^2/(a1^2+b1)+a2^2/(a2^2+b2)+a3^2/(a3^2+b3))/3
  cr := (a1/sqrt(a1^2+b1)+a2/sqrt(a2^2+b2)+a3/sqrt(a3^2+b3))^2/((a1/sqrt(a1^2+b1)+a2/sqrt(a2^2+b2)+a3/sqrt(a3^2+b3))^2+b1/(a1^2+b1)+b2/(a2^2+b2)+b3/(a3^2+b3))
  textual =~ x4 + x5 + x6\n speed =~ x7 + x8 + x9")
out$omega <- lapply(names(models), function(name) {
  data <- hs; if (name == "standardized") data[paste0("x", 1:9)] <- scale(hs[paste0("x", 1:9)])
  fit <- run(models[[name]], data)
  r <- suppressMessages(suppressWarnings(reliability(fit)))
  list(alpha = r["alpha", ], omega = r["omega2", ], omega1 = r["omega", ], ave = r["avevar", ],
       comprel = suppressMessages(compRelSEM(fit, obs.var = FALSE, return.df = FALSE)))
})
names(out$omega) <- names(models)
d <- subset(parameterEstimates(run(sub("a1\\*x1", "NA*x1 + a1*x1", labelled), hs)), op == ":=")
out$delta <- list(est = setNames(as.list(d$est), d$lhs), se = setNames(as.list(d$se), d$lhs))
four <- "a =~ o11 + o12 + o13 + o14\n b =~ o21 + o22 + o23 + o24\n c =~ o31 + o32 + o33 + o34"
fit <- run(four, ordinal, ordered = TRUE, estimator = "WLSMV")
r <- suppressMessages(suppressWarnings(reliability(fit)))
out$ordinal <- list(omega = r["omega2", ], ave = r["avevar", ])
fit <- run(paste(four, "o11 ~~ o12", sep = "\n"), ordinal, ordered = TRUE, estimator = "WLSMV")
r <- suppressMessages(suppressWarnings(reliability(fit)))
out$ordinal_correlated <- list(omega = r["omega2", ])

## discriminant validity ----------------------------------------------------------------------------------------------
trio <- "a =~ i11 + i12 + i13 + i14\n b =~ i21 + i22 + i23 + i24\n c =~ i31 + i32 + i33 + i34"
lower <- function(m) m[lower.tri(m)]
out$htmt <- list(mediation = list(htmt = lower(htmt(trio, mediation, htmt2 = FALSE)), htmt2 = lower(htmt(trio, mediation))),
                 hs = list(htmt = lower(htmt(three, hs, htmt2 = FALSE)), htmt2 = lower(htmt(three, hs))))

## items --------------------------------------------------------------------------------------------------------------
items <- hs[paste0("x", 1:9)]
k <- KMO(items); b <- cortest.bartlett(cor(items), n = nrow(items))
out$items <- list(kmo = c(k$MSA, k$MSAi), chisq = b$chisq, df = b$df, pvalue = b$p.value,
                  eigenvalues = eigen(cor(items))$values)

## method bias --------------------------------------------------------------------------------------------------------
test <- function(fit) list(chisq = fitMeasures(fit, "chisq")[[1]], df = fitMeasures(fit, "df")[[1]])
std <- function(fit) { s <- standardizedSolution(fit); s <- s[s$op == "=~", ]; setNames(as.list(s$est.std), paste0(s$lhs, "=~", s$rhs)) }
method <- paste0(trio, "\n method =~ ", paste0("1*", names(mediation), collapse = " + "), "\n method ~~ 0*a + 0*b + 0*c")
with_method <- run(method, mediation)
pe <- parameterEstimates(with_method); v <- pe[pe$lhs == "method" & pe$op == "~~" & pe$rhs == "method", ]
out$common <- list(one = test(run(paste("g =~", paste0("x", 1:9, collapse = " + ")), hs)), three = test(run(three, hs)),
                   without = test(run(trio, mediation)), method = test(with_method), variance = c(v$est, v$se), loadings = std(with_method))

# The marker technique of Williams, Hartman & Cavazotte (2010) with speed as the marker, all variances of constructs 1.
cfa1 <- run(three, hs, std.lv = TRUE); pe <- parameterEstimates(cfa1)
loading <- function(i) pe$est[pe$lhs == "speed" & pe$op == "=~" & pe$rhs == i]
residual <- function(i) pe$est[pe$lhs == i & pe$op == "~~" & pe$rhs == i]
m <- paste0("x", 7:9); substantive <- paste0("x", 1:6)
number <- function(x) format(x, digits = 17)
base <- paste0("visual =~ x1 + x2 + x3\n textual =~ x4 + x5 + x6\n speed =~ ", paste0(sapply(m, function(i) number(loading(i))), "*", m, collapse = " + "), "\n",
  paste0(m, " ~~ ", sapply(m, function(i) number(residual(i))), "*", m, collapse = "\n"), "\n speed ~~ 0*visual + 0*textual")
baseline <- run(base, hs, std.lv = TRUE)
constrained <- run(paste0(base, "\n speed =~ ", paste0("m*", substantive, collapse = " + ")), hs, std.lv = TRUE)
unconstrained <- run(paste0(base, "\n speed =~ ", paste(substantive, collapse = " + ")), hs, std.lv = TRUE)
pe <- parameterEstimates(baseline); phi <- pe$est[pe$lhs == "visual" & pe$op == "~~" & pe$rhs == "textual"]
fixed <- paste0("\n visual ~~ ", number(phi), "*textual")
out$marker <- list(cfa = test(cfa1), baseline = test(baseline), constrained = test(constrained), unconstrained = test(unconstrained),
  restricted_c = test(run(paste0(base, "\n speed =~ ", paste0("m*", substantive, collapse = " + "), fixed), hs, std.lv = TRUE)),
  restricted_u = test(run(paste0(base, "\n speed =~ ", paste(substantive, collapse = " + "), fixed), hs, std.lv = TRUE)))

write(toJSON(out, digits = I(15), auto_unbox = TRUE, pretty = TRUE), file.path(here, "reliability.json"))
