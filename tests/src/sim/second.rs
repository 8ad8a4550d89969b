//! A second machine of a place, and how one of them takes the place over: by the parent's word, as over a
//! connection, and with what `yishi-node takeover` does to the database.

use super::{World, line::Line};
use rand::{SeedableRng as _, rngs::StdRng};
use std::path::Path;
use yishi_node::{
    actions::InviteRequest,
    link::{NewNode, offline},
    setup,
};
use yishi_protocol::{cert::Introduction, invite::Invite, key::SecretKeys, wire::Frame};

impl World {
    /// A second machine for a node's place, from a backup of it; its line to the same parent is cut, and it has not
    /// taken over yet.
    pub async fn second_machine(&mut self, of: usize, kept: &Path) -> usize {
        let at = self.nodes.len();
        let dir = self.nodes[of].dir.with_extension(format!("second{at}"));
        let node = self.nodes[of].second(dir, kept, 98 + at as u64).await;
        node.tick(self.now);
        self.nodes.push(node);
        let parent = self.line_of(of).parent;
        self.lines.push(Line { child: at, parent, cut: true, connections: Vec::new() });
        at
    }

    /// The parent lets that machine take its place over, and it does.
    pub async fn takes_over(&mut self, at: usize) {
        let parent = self.line_of(at).parent;
        let (above, node) = (&self.nodes[parent], &self.nodes[at]);
        let own = node.store.world().me.cert;
        let code = node.store.world().directory.get(&own).unwrap().code.clone();
        let word =
            InviteRequest { code, address: Some("parent:1".into()), takeover: true, ..Default::default() };
        let token: Invite = above.actions.invite(word).await.unwrap().token.parse().unwrap();
        let keys = SecretKeys::generate(&mut StdRng::seed_from_u64(self.now + at as u64));
        let proof = token.join(&keys.public(), keys.sealing_public());
        let answer = offline::joining(&above.store, &keys.public(), &proof, self.now).await.unwrap();
        let Frame::Joined(told) = answer else { panic!("{answer:?}") };
        let Introduction { certs, placements } = Introduction::decode(&told.chain, &told.placements).unwrap();
        let cert = certs.last().unwrap().hash();
        let new = NewNode { keys, certs, placements, cert, parent: above.place };
        setup::under_new_key(&node.store, new, true, self.now).await.unwrap();
        self.hang_up(at);
        // Whichever of them speaks next is compared with: that is the cause.
        self.watch.excused = true;
    }
}
