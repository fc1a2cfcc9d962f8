/**
 * How to export a model so that the names and values of its weights stay. The defaults of both exporters fold batch
 * normalisation and transposes into the weights.
 */
export const EXPORT_RECIPE = `Export it so that weights keep their state_dict names and values, with a sample batch x of two or more:
  PyTorch 2.6 and later: torch.onnx.export(model.eval(), (x,), 'model.onnx', dynamo=True, optimize=False, dynamic_shapes=({0: torch.export.Dim('N')},))
  PyTorch 2.0 and later: torch.onnx.export(model.eval(), (x,), 'model.onnx', dynamo=False, do_constant_folding=False, keep_initializers_as_inputs=True, input_names=['x'], dynamic_axes={'x': {0: 'N'}})   (leave dynamo=False out before 2.5)
  PyTorch 1.13: torch.onnx.export(model.eval(), (x,), 'model.onnx', training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False, keep_initializers_as_inputs=True, input_names=['x'], dynamic_axes={'x': {0: 'N'}})`
