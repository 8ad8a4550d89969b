//! What the fuzzers found, each as a test of its own: it was mended, and stays so.
