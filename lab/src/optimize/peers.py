"""Measures one window of a network in ONNX Runtime and LiteRT, on one thread, when asked.

Arguments: frames in the window, then pairs of label and ONNX file. Prints a line "case NAME" for each case it has and
"skip REASON" for what it lacks, then "ready -". Each line with a case's number on the way in is answered with the
microseconds of one window (the median of some runs).
"""

import statistics
import sys
import time

import numpy as np

FRAMES = int(sys.argv[1])
FILES = list(zip(sys.argv[2::2], sys.argv[3::2]))
RUNS = 5


def onnx_runtime(label, path):
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    entry = session.get_inputs()[0]
    feed = {entry.name: window(entry.shape[2])}
    return f"ONNX Runtime {ort.__version__}, {label}", lambda: session.run(["probabilities"], feed)


def window(rows):
    row, frame = np.meshgrid(np.arange(rows), np.arange(FRAMES), indexing="ij")
    return np.sin(row * 7.0 + frame).astype(np.float32)[None, None]


def lite_rt(label, path):
    """LiteRT reads TFLite files only, so the ONNX file's layers are written as one first."""
    import ai_edge_litert
    from ai_edge_litert.interpreter import Interpreter

    content, rows = tflite(path)
    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    entry, result = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    sound = window(rows)
    interpreter.set_tensor(entry["index"], np.transpose(sound, (0, 2, 3, 1)))
    interpreter.invoke()
    check(path, sound, interpreter.get_tensor(result["index"]))
    return f"LiteRT {ai_edge_litert.__version__}, {label}", interpreter.invoke


def check(path, sound, got):
    """The written file must be the same network, or its cost would mean nothing."""
    import onnxruntime as ort

    want = ort.InferenceSession(path, providers=["CPUExecutionProvider"]).run(["probabilities"], {"features": sound})[0]
    worst = float(np.max(np.abs(want - got)))
    if worst > 1e-3:
        raise ValueError(f"the TFLite file answers differently by {worst}")


class Writer:
    """Collects the tensors and operators of a TFLite file."""

    def __init__(self, schema):
        self.schema = schema
        self.buffers, self.tensors, self.operators, self.codes = [schema.BufferT()], [], [], []

    def tensor(self, shape, data=None, kind=None, scales=None, zero=0, axis=0):
        entry = self.schema.TensorT()
        entry.shape, entry.buffer = list(shape), 0
        entry.type = self.schema.TensorType.FLOAT32 if kind is None else kind
        entry.name = f"t{len(self.tensors)}".encode()
        if data is not None:
            buffer = self.schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
            self.buffers.append(buffer)
            entry.buffer = len(self.buffers) - 1
        if scales is not None:
            scales = np.atleast_1d(scales).astype(np.float32)
            entry.quantization = self.schema.QuantizationParametersT()
            entry.quantization.scale, entry.quantization.quantizedDimension = scales, axis
            entry.quantization.zeroPoint = np.full(len(scales), zero, np.int64)
        self.tensors.append(entry)
        return len(self.tensors) - 1

    def operator(self, code, inputs, output, kind=0, options=None):
        if code not in self.codes:
            self.codes.append(code)
        entry = self.schema.OperatorT()
        entry.opcodeIndex, entry.inputs, entry.outputs = self.codes.index(code), inputs, [output]
        entry.builtinOptionsType, entry.builtinOptions = kind, options
        self.operators.append(entry)
        return output

    def finish(self, first, last):
        import flatbuffers

        subgraph = self.schema.SubGraphT()
        subgraph.tensors, subgraph.operators = self.tensors, self.operators
        subgraph.inputs, subgraph.outputs, subgraph.name = [first], [last], b"main"
        model = self.schema.ModelT()
        model.version, model.subgraphs, model.buffers = 3, [subgraph], self.buffers
        model.description, model.operatorCodes = b"bench", []
        for code in self.codes:
            entry = self.schema.OperatorCodeT()
            entry.builtinCode, entry.deprecatedBuiltinCode, entry.version = code, min(code, 127), 2
            model.operatorCodes.append(entry)
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
        return bytes(builder.Output())


def tflite(path):
    """An ONNX file's convolutions, average and softmax as a TFLite file: FP32, or INT8 where it holds that."""
    import onnx
    from ai_edge_litert import schema_py_generated as schema
    from onnx import numpy_helper

    graph = onnx.load(path).graph
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    by_output = {node.output[0]: node for node in graph.node}
    reader = {name: node for node in graph.node for name in node.input}
    rows = graph.input[0].type.tensor_type.shape.dim[2].dim_value
    op, kinds, types = schema.BuiltinOperator, schema.BuiltinOptions, schema.TensorType
    out = Writer(schema)
    height, width = rows, FRAMES
    last = first = out.tensor([1, height, width, 1])
    # Scale and zero point of what flows, in an INT8 file.
    flow = None
    quantize = reader[graph.input[0].name]
    if quantize.op_type == "QuantizeLinear":
        flow = float(values[quantize.input[1]]), int(values[quantize.input[2]])
        entry = out.tensor([1, height, width, 1], None, types.INT8, *flow)
        last = out.operator(op.QUANTIZE, [last], entry, kinds.QuantizeOptions, schema.QuantizeOptionsT())

    def stored(name):
        """Numbers of a weight or bias, and their scales in an INT8 file."""
        if name in values:
            return values[name], None
        node = by_output[name]
        return values[node.input[0]], values[node.input[1]]

    def flowing(shape):
        return out.tensor(shape) if flow is None else out.tensor(shape, None, types.INT8, *flow)

    for node in graph.node:
        if node.op_type != "Conv":
            continue
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        (kernel, scales), (bias, bias_scales) = stored(node.input[1]), stored(node.input[2])
        outputs, inputs, kernel_h, kernel_w = kernel.shape
        depthwise = attributes.get("group", 1) > 1
        channels = outputs if depthwise else inputs
        top, left, bottom, right = attributes.get("pads", [0, 0, 0, 0])
        stride, dilation = attributes.get("strides", [1, 1])[0], attributes.get("dilations", [1, 1])[1]
        if any((top, left, bottom, right)):
            height, width = height + top + bottom, width + left + right
            pads = np.array([[0, 0], [top, bottom], [left, right], [0, 0]], np.int32)
            pads = out.tensor([4, 2], pads, types.INT32)
            padded = flowing([1, height, width, channels])
            last = out.operator(op.PAD, [last, pads], padded, kinds.PadOptions, schema.PadOptionsT())
        height, width = (height - kernel_h) // stride + 1, width - (kernel_w - 1) * dilation
        data = np.transpose(kernel[:, 0], (1, 2, 0))[None] if depthwise else np.transpose(kernel, (0, 2, 3, 1))
        axis = 3 if depthwise else 0
        kind = None if scales is None else types.INT8
        weight = out.tensor(data.shape, data, kind, scales, 0, axis)
        offset = out.tensor(bias.shape, bias, None if scales is None else types.INT32, bias_scales)
        options = schema.DepthwiseConv2DOptionsT() if depthwise else schema.Conv2DOptionsT()
        options.padding, options.strideH, options.strideW = schema.Padding.VALID, stride, 1
        options.dilationHFactor, options.dilationWFactor = 1, dilation
        follower = reader.get(node.output[0])
        relu = follower is not None and follower.op_type == "Relu"
        activation = schema.ActivationFunctionType
        options.fusedActivationFunction = activation.RELU if relu else activation.NONE
        if depthwise:
            options.depthMultiplier = 1
        if flow is not None:
            flow = float(values[follower.input[1]]), int(values[follower.input[2]])
        result = flowing([1, height, width, outputs])
        code, kind = (
            (op.DEPTHWISE_CONV_2D, kinds.DepthwiseConv2DOptions) if depthwise else (op.CONV_2D, kinds.Conv2DOptions)
        )
        last = out.operator(code, [last, weight, offset], result, kind, options)
    if flow is not None:
        entry = out.tensor([1, height, width, outputs])
        last = out.operator(op.DEQUANTIZE, [last], entry, kinds.DequantizeOptions, schema.DequantizeOptionsT())
    mean, softmax = schema.ReducerOptionsT(), schema.SoftmaxOptionsT()
    mean.keepDims, softmax.beta = False, 1.0
    axes = out.tensor([2], np.array([1, 2], np.int32), types.INT32)
    last = out.operator(op.MEAN, [last, axes], out.tensor([1, outputs]), kinds.ReducerOptions, mean)
    last = out.operator(op.SOFTMAX, [last], out.tensor([1, outputs]), kinds.SoftmaxOptions, softmax)
    return out.finish(first, last), rows


def main():
    cases = []
    for engine, make in (("ONNX Runtime", onnx_runtime), ("LiteRT", lite_rt)):
        for label, path in FILES:
            try:
                name, run = make(label, path)
                run()
                cases.append(run)
                print("case", name, flush=True)
            except Exception as error:  # whatever an engine lacks is a remark, not a reason to stop
                why = " ".join(f"{type(error).__name__}: {error}".split())
                print("skip", f"{engine}, {label}: {why}", flush=True)
    print("ready -", flush=True)
    for line in sys.stdin:
        run = cases[int(line)]
        times = []
        for _ in range(RUNS):
            started = time.perf_counter()
            run()
            times.append((time.perf_counter() - started) * 1e6)
        print(statistics.median(times), flush=True)


main()
