//! What locks the matters a collector has written down and not delivered yet.

use super::Actions;

impl Actions {
    /// The key of what this person keeps on a phone: always the same while this node has its key, of no use for
    /// anything else, and given to nobody but the person's own session. A phone throws it away when they sign out.
    #[must_use]
    pub fn phone_key(&self, person: &str) -> [u8; 32] {
        self.world().me.keys.derived(&format!("undelivered on a phone of {person}"))
    }
}
