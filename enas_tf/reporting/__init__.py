"""What a person sees of a run: progress, TensorBoard, drawings."""
