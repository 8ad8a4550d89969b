//! What the dashboard says.

super::words! {}
