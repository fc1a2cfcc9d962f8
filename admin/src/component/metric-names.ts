const LABELS: Readonly<Record<string, string>> = {
  f1: 'F1',
  fBeta: 'F-beta',
  rocAuc: 'ROC AUC',
  averagePrecision: 'Average precision',
  logLoss: 'Log loss',
  mcc: 'MCC',
  cohenKappa: 'Cohen’s kappa',
  ece: 'Calibration error (ECE)',
  brier: 'Brier score',
  bestF1: 'Best F1',
  bestF1Threshold: 'Threshold of the best F1',
  bestCost: 'Lowest cost',
  bestCostThreshold: 'Threshold of the lowest cost',
  mse: 'MSE',
  rmse: 'RMSE',
  mae: 'MAE',
  mape: 'MAPE',
  r2: 'R²',
}

/** A metric's name for people: `balancedAccuracy` is Balanced accuracy, `top5Accuracy` Top 5 accuracy. */
export function metricLabel(name: string): string {
  const known = LABELS[name]
  if (known !== undefined) return known
  const words = name
    .replace(/([a-z])(\d+)/g, '$1 $2')
    .replace(/([A-Z])/g, ' $1')
    .toLowerCase()
  return words.charAt(0).toUpperCase() + words.slice(1).replace(/ +/g, ' ')
}
