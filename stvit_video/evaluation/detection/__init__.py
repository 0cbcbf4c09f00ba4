"""COCO scores of detection and instance segmentation, and the files that hold them."""
