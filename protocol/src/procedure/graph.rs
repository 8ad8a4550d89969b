//! Drawings of a procedure: for a terminal and as SVG.
