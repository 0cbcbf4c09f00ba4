"""Scores of label maps by confusion matrix: mIoU, mAcc, aAcc."""
