"""From a corpus on disk to padded arrays on the device."""
