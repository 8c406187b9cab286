"""One file = one modality: what differs between training images, restorations and 2-D mixtures."""
