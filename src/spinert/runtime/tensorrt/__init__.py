"""TensorRT: which library is here, how an engine is built, kept, found again and run.

An engine is what TensorRT makes of one ONNX file for one kind of GPU. It is built by `spinert build` alone, kept in the
user's cache with a description of all that it depends on, and found again by that description.
"""
