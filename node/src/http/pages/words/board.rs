//! What the public board and the hall's screen says.

super::words! {}
