//! What the inbox says.

super::words! {}
