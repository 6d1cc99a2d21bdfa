# Write seminr.json: PLS path models as R's seminr, seminrExtras and cSEM estimate, predict, compare and resample them.
#
#   Rscript packages/semfit/tests/reference/seminr.R [library]
#
# The three have to be installed, in R's own library or in the folder named: they are GPL-3, and only their results are
# kept here. Run with github.com/sem-in-r/seminr at 937f306 (2.3.1.9000), sem-in-r/seminrExtras at 9c14cd9 (1.0.3) and
# FloSchuberth/cSEM at 1aa2be5 (0.6.1.9000), R 4.2.2; two minutes of one processor. Values are rounded to twelve digits.
#
# Nobody's chance is touched: what set.seed() and sample() draw, tests/test_seminr.py draws again in Python, so that folds,
# resamples and permutations are the same. Groups are every third row and the others.
extra <- commandArgs(TRUE)
if (length(extra)) { .libPaths(c(extra, .libPaths())); Sys.setenv(R_LIBS = extra) }  # which workers read
suppressMessages({library(seminr); library(cSEM); library(jsonlite)})
here <- dirname(normalizePath(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE))))
SEED <- 1; RESAMPLES <- 100; PERMUTATIONS <- 100

blocks <- function(letter, ks, is) setNames(lapply(ks, function(k) paste0(letter, k, is)), NULL)
named <- function(names, items) setNames(items, names)
NINE <- named(paste0("f", 1:9), blocks("v", 1:9, 1:4))
DEMOCRACY <- list(ind60 = paste0("x", 1:3), dem60 = paste0("y", 1:4), dem65 = paste0("y", 5:8))
SPEED <- list(visual = paste0("x", 1:3), textual = paste0("x", 4:6), speed = "x9")
MEDIATION <- named(paste0("c", 1:3), blocks("i", 1:3, 1:4))
ORDERED <- named(paste0("o", 1:3), blocks("o", 1:3, 1:4))
model <- function(data, constructs, ...) list(data = data, constructs = constructs, causes = list(...))
MODELS <- list(
  nine = model("sim_twelve_paths", NINE, f5 = "f1 f2", f6 = "f2 f3", f7 = "f5 f4", f8 = "f5 f6", f9 = "f7 f8 f1 f6"),
  democracy = model("political_democracy", DEMOCRACY, dem60 = "ind60", dem65 = "ind60 dem60"),
  mediation = model("sim_mediation", MEDIATION, c2 = "c1", c3 = "c1 c2"),
  ordered = model("sim_ordinal12", ORDERED, o3 = "o1 o2"),
  speed = model("holzinger_swineford", SPEED, textual = "visual", speed = "visual textual"))
CASES <- list(  # C is mode A, corrected for noise: PLSc
  "mode A, path" = c("nine", "AAAAAAAAA", "path"),
  "mode A, factorial" = c("nine", "AAAAAAAAA", "factorial"),
  "mode B causes, path" = c("nine", "BBBBAAAAA", "path"),
  "mode B, factorial" = c("nine", "BBBBBBBBB", "factorial"),
  "consistent, path" = c("nine", "CCCCCCCCC", "path"),
  "democracy, path" = c("democracy", "AAA", "path"),
  "single item, path" = c("speed", "AAA", "path"),
  "mediation, factorial" = c("mediation", "ABA", "factorial"),
  "ordered answers, path" = c("ordered", "AAA", "path"))

digits <- function(x) setNames(as.numeric(formatC(x, digits = 12, format = "g")), names(x))
cells <- function(m) {  # of a named matrix, those neither zero nor missing
  rows <- lapply(rownames(m), function(i) { r <- unlist(m[i, , drop = TRUE]); names(r) <- colnames(m)
    as.list(digits(r[!is.na(r) & r != 0])) })
  setNames(rows, rownames(m))
}
flat <- function(v) as.list(digits(unlist(v)))
quiet <- function(x) suppressWarnings(suppressMessages(x))
block <- function(name, items, mode) if (mode == "C") reflective(name, items) else
  composite(name, items, weights = if (mode == "A") mode_A else mode_B)
split_words <- function(text) strsplit(text, " ")[[1]]

# PLSpredict on folds of rows in the order of sample(). A newer seminr keeps residuals in `items`, where seminrExtras looks
# for them, and its linear model has the items of the causes (direct) or of the constructs without causes (earliest); 2.3.1
# has all items but the construct's own. Where it runs, lm() is given the newer one's items here.
predicted <- function(model, technique, noFolds, ...) {
  state <- .Random.seed; order <- sample(nrow(model$data)); .Random.seed <<- state
  p <- quiet(predict_pls(model, technique, noFolds))
  if (!is.null(p$items)) return(p)
  p$items <- p[c("PLS_out_of_sample_residuals", "lm_out_of_sample_residuals")]
  fold <- cut(seq_along(order), noFolds, labels = FALSE)[order(order)]; paths <- as.data.frame(unclass(model$smMatrix))
  for (to in unique(paths$target)) {
    from <- if (identical(technique, predict_DA)) paths$source[paths$target == to] else setdiff(paths$source, paths$target)
    items <- function(names) model$mmMatrix[model$mmMatrix[, "construct"] %in% names, "measurement"]
    for (y in items(to)) for (k in seq_len(noFolds)) {
      fitted <- lm(reformulate(items(from), y), model$data[fold != k, ])
      out <- model$data[fold == k, ]
      p$items$lm_out_of_sample_residuals[fold == k, y] <- out[[y]] - stats::predict(fitted, out)
    }
  }
  p
}
local({ imports <- parent.env(asNamespace("seminrExtras")); unlockBinding("predict_pls", imports)
  assign("predict_pls", predicted, imports) })

prediction <- function(fit, technique) {
  set.seed(SEED); p <- predicted(fit, technique, 10)$items
  size <- function(e) cells(apply(as.matrix(e), 2, function(x) c(RMSE = sqrt(mean(x^2)), MAE = mean(abs(x)))))
  list(pls = size(p$PLS_out_of_sample_residuals), lm = size(p$lm_out_of_sample_residuals))
}
cvpat <- function(fit) {  # assess_cvpat gives seven digits and no statistic of the t test; the functions it calls give both
  set.seed(SEED); p <- predicted(fit, predict_DA, 10)$items; names <- unique(fit$smMatrix[, "target"])
  loss <- function(e) { e <- as.matrix(e); l <- sapply(names, function(n) seminrExtras:::lv_loss(n, fit, e))
    cbind(l, Overall = seminrExtras:::overall_loss(l)) }
  pls <- loss(p$PLS_out_of_sample_residuals); lm <- loss(p$lm_out_of_sample_residuals)
  t <- sapply(colnames(pls), function(n) seminrExtras:::bootstrap_cvpat(pls[, n], lm[, n], nboot = 2)[[1]])
  whole <- seminrExtras::assess_cvpat(fit, nboot = 20, seed = SEED, technique = predict_DA, noFolds = 10)
  stopifnot(max(abs(unclass(whole$CVPAT_compare_LM)[, 1:2] - cbind(colMeans(pls), colMeans(lm)))) < 1e-4)
  list(loss = flat(colMeans(pls)), lm = flat(colMeans(lm)), t = flat(setNames(t, colnames(pls))),
       mean = flat(unclass(whole$CVPAT_compare_IA)[, 2]))
}
resampled <- function(fit) {
  s <- summary(quiet(bootstrap_model(fit, nboot = RESAMPLES, cores = 1, seed = SEED)))
  kinds <- c("paths", "weights", "loadings", "total_paths")
  table <- function(kind) unclass(s[[paste0("bootstrapped_", kind)]])[, c(1, 3, 5, 6), drop = FALSE]
  setNames(lapply(kinds, function(kind) cells(table(kind))), kinds)
}
groups <- function(text, modes, scheme, rows, first) {
  sorted <- scale(rbind(rows[first, ], rows[!first, ]))  # weights are those of standardised items, so the items have to be
  parts <- list(a = sorted[seq_len(sum(first)), ], b = sorted[-seq_len(sum(first)), ])
  both <- quiet(csem(parts, text, .PLS_modes = modes, .PLS_weight_scheme_inner = scheme, .disattenuate = FALSE,
                     .tolerance = 1e-12, .iter_max = 3000))
  m <- quiet(testMICOM(both, .R = PERMUTATIONS, .seed = SEED, .handle_inadmissibles = "ignore", .verbose = FALSE))
  inner <- paste(grep("<~", strsplit(text, "\n")[[1]], value = TRUE, invert = TRUE), collapse = "\n")
  chin <- quiet(testMGD(both, .approach_mgd = "Chin", .R_permutation = PERMUTATIONS, .seed = SEED, .verbose = FALSE,
                        .parameters_to_compare = inner, .handle_inadmissibles = "ignore"))$Chin
  drawn <- do.call(rbind, lapply(m$Step2$Bootstrap_values, function(x) x[[1]]))
  three <- function(s) list(difference = flat(s$Test_statistic[[1]]), p = flat(s$P_value$none[[1]]))
  list(correlation = flat(m$Step2$Test_statistic[[1]]), p = flat(m$Step2$P_value$none[[1]]),
       bound = flat(apply(drawn, 2, quantile, 0.05)), mean = three(m$Step3$Mean), variance = three(m$Step3$Var),
       paths = list(difference = flat(chin$Test_statistic[[1]]), p = flat(chin$P_value$none[[1]])))
}

programs <- c(seminr = "seminr", seminrExtras = "seminrExtras", cSEM = "cSEM")
out <- list(versions = lapply(programs, function(p) as.character(packageVersion(p))), cases = list())
for (name in names(CASES)) {
  begun <- proc.time()[1]
  case <- CASES[[name]]; m <- MODELS[[case[1]]]; modes <- strsplit(case[2], "")[[1]]; scheme <- case[3]
  rows <- read.csv(file.path(here, "data", paste0(m$data, ".csv")))[unlist(m$constructs)]
  measured <- do.call(constructs, unname(Map(block, names(m$constructs), m$constructs, modes)))
  arrows <- function(to, from) paths(from = split_words(from), to = to)
  inner <- do.call(relationships, unname(Map(arrows, names(m$causes), m$causes)))
  weighting <- if (scheme == "path") path_weighting else path_factorial
  estimated <- function(d) quiet(estimate_pls(d, measured, inner, inner_weights = weighting, maxIt = 3000, stopCriterion = 12))
  fit <- estimated(rows)
  shown <- quiet(summary(fit)); first <- seq_len(nrow(rows)) %% 3 == 0
  found <- list(
    model = case[1], data = m$data, constructs = lapply(m$constructs, I), causes = m$causes, modes = case[2], scheme = scheme,
    weights = cells(fit$outer_weights), loadings = cells(fit$outer_loadings), paths = cells(fit$path_coef),
    r2 = cells(fit$rSquared), reliability = cells(unclass(shown$reliability)), htmt = cells(unclass(shown$validity$htmt)),
    f2 = cells(unclass(shown$fSquare)),
    predict = list(direct = prediction(fit, predict_DA), earliest = prediction(fit, predict_EA)))
  if (!grepl("C", case[2])) {
    # assess_ipma weighs items by weights of standardised items, so they are given to it with one standard deviation
    alike <- sweep(rows, 2, sapply(rows, sd), "/"); low <- floor(min(alike)) - 1; high <- ceiling(max(alike)) + 1
    target <- tail(names(m$causes), 1)
    i <- quiet(seminrExtras::assess_ipma(estimated(alike), target, scale_min = low, scale_max = high))
    found$ipma <- list(target = target, low = low, high = high, total = flat(i$importance_std),
                       importance = flat(i$importance_unstd), performance = flat(i$performance))
    found$cvpat <- cvpat(fit)
    if (!case[1] %in% vapply(out$cases, function(c) c$model, "")) found$bootstrap <- resampled(fit)
    mga <- quiet(estimate_pls_mga(fit, first, nboot = 10, cores = 1, seed = SEED))
    row <- function(to, from, a, b) list(lhs = to, rhs = from, first = digits(a), second = digits(b))
    found$mga <- unname(Map(row, mga$target, mga$source, mga$group1_beta, mga$group2_beta))
    text <- c(paste(names(m$constructs), "<~", sapply(m$constructs, paste, collapse = " + ")),
              paste(names(m$causes), "~", gsub(" ", " + ", m$causes)))
    found$groups <- groups(paste(text, collapse = "\n"), as.list(setNames(paste0("mode", modes), names(m$constructs))), scheme, rows, first)
  }
  out$cases[[name]] <- found
  message(name, ": ", round(proc.time()[1] - begun), " s")
}
write(toJSON(out, digits = I(12), auto_unbox = TRUE), file.path(here, "seminr.json"))
