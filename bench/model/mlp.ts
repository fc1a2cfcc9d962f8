/** The multilayer perceptron 784-512-256-10 as a layer list. */
export const MLP_LAYERS = {
  layers: [
    { type: 'Linear', in_features: 784, out_features: 512 },
    { type: 'ReLU' },
    { type: 'Linear', in_features: 512, out_features: 256 },
    { type: 'ReLU' },
    { type: 'Linear', in_features: 256, out_features: 10 },
  ],
  input: [784],
}
