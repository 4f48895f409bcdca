"""Small plain PyTorch definitions of architectures that torchvision does not have, written for this test."""
