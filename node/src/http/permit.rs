//! Who may do what: the one table from roles and token scopes to permissions.
//!
//! What a *place* may do with a matter is decided by the fold in `protocol`; here it is only which people and
//! programs of this place may ask for it. The local socket may do everything.

use std::collections::BTreeSet;

/// Something a caller may be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permit {
    /// Read the place, the list of matters, outcomes and the link.
    Read,
    /// Register matters and add to them: register, comment, support, tell, rate, correct, import.
    Report,
    /// Take the steps of handling: accept, refuse, handle, escalate, return, merge, answer, close, …
    Handle,
    /// Record ballots and decide.
    Decide,
    /// Take a matter over from a place below.
    TakeOver,
    /// Open a petitioner's sealed identity.
    Petitioner,
    /// Invite and revoke places, reconnect the link.
    Places,
    /// People and their roles.
    People,
    /// Tokens of programs, metrics: what concerns the machine.
    Machine,
}

use Permit::{Decide, Handle, Machine, People, Petitioner, Places, Read, Report, TakeOver};

const EVERYTHING: &[Permit] = &[Read, Report, Handle, Decide, TakeOver, Petitioner, Places, People, Machine];

/// The roles of the contract with what each may do.
pub const ROLES: &[(&str, &str, &[Permit])] = &[
    // 民情专递员: hears people at home and brings the answer back, so needs to know whom to visit.
    ("collector", "民情专递员", &[Read, Report, Petitioner]),
    ("clerk", "文书", &[Read, Report, Handle, Decide, Petitioner]),
    ("grid_worker", "网格员", &[Read, Report, Petitioner]),
    ("mediator", "调解员", &[Read, Report, Handle, Petitioner]),
    ("council_member", "议事会成员", &[Read, Report]),
    ("board_member", "村（居）委会成员", &[Read, Report, Handle, Decide, Petitioner]),
    ("group_leader", "村（居）民小组长", &[Read, Report]),
    ("stationed_official", "驻村干部", &[Read, Report, Handle, Petitioner]),
    ("unit_handler", "经办人", &[Read, Report, Handle, Petitioner]),
    // Looks after the machine; has no business with petitioners.
    ("operator", "运维员", &[Read, Places, Machine]),
    ("supervisor", "督办员", &[Read, Report, Handle, TakeOver, Petitioner]),
    ("administrator", "管理员", EVERYTHING),
];

/// The scopes a token may have.
pub const SCOPES: &[(&str, &[Permit])] = &[
    ("matters:read", &[Read]),
    ("matters:write", &[Read, Report, Handle, Decide, Petitioner]),
    ("places:write", &[Read, Places]),
    ("users:write", &[Read, People]),
    ("admin", EVERYTHING),
];

/// The steps of a matter with what each needs; a step not named here needs [`Permit::Handle`].
const STEPS: &[(&str, Permit)] = &[
    ("comment", Report),
    ("support", Report),
    ("tell", Report),
    ("rate", Report),
    ("correct", Report),
    ("withdraw", Report),
    ("object", Report),
    ("respond", Report),
    ("record", Report),
    ("urge", TakeOver),
    ("ballot", Decide),
    ("decide", Decide),
    ("take_over", TakeOver),
];

/// Whether a role of this name exists.
#[must_use]
pub fn is_role(name: &str) -> bool {
    ROLES.iter().any(|(role, ..)| *role == name)
}

/// Whether a scope of this name exists.
#[must_use]
pub fn is_scope(name: &str) -> bool {
    SCOPES.iter().any(|(scope, _)| *scope == name)
}

/// What a step of a matter needs.
#[must_use]
pub fn of_step(act: &str) -> Permit {
    STEPS.iter().find(|(name, _)| *name == act).map_or(Handle, |(_, permit)| *permit)
}

/// What a step needs with what is written in it: words of a reply or refusal are put right by whoever may give
/// one, not by whoever registers.
#[must_use]
pub fn of_request(step: &serde_json::Value) -> BTreeSet<Permit> {
    let act = step.get("act").and_then(serde_json::Value::as_str).unwrap_or("");
    let rewords = act == "correct" && step.get("text").is_some_and(|t| !t.is_null());
    BTreeSet::from([of_step(act), if rewords { Handle } else { of_step(act) }])
}

/// Everything the local socket may do.
#[must_use]
pub fn everything() -> BTreeSet<Permit> {
    EVERYTHING.iter().copied().collect()
}

/// What a person with these roles may do.
#[must_use]
pub fn of_roles<'a>(roles: impl IntoIterator<Item = &'a str>) -> BTreeSet<Permit> {
    let named = |name: &str| ROLES.iter().find(|(role, ..)| *role == name).map_or(&[][..], |(.., p)| p);
    roles.into_iter().flat_map(named).copied().collect()
}

/// What a token with these scopes may do.
#[must_use]
pub fn of_scopes<'a>(scopes: impl IntoIterator<Item = &'a str>) -> BTreeSet<Permit> {
    let named = |name: &str| SCOPES.iter().find(|(scope, _)| *scope == name).map_or(&[][..], |(_, p)| p);
    scopes.into_iter().flat_map(named).copied().collect()
}

impl Permit {
    /// "This account may not …", in English and Chinese.
    #[must_use]
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Read => ("read matters", "查看事项"),
            Report => ("register or add to matters", "登记或补充事项"),
            Handle => ("take this step", "办理这一步"),
            Decide => ("record votes and decisions", "记录表决和决定"),
            TakeOver => ("take over a matter from below", "提级接办"),
            Petitioner => ("open a petitioner's identity", "查看来访人身份"),
            Places => ("invite, revoke or reconnect places", "管理上下级单位和连接"),
            People => ("manage people's accounts", "管理人员账号"),
            Machine => ("manage tokens and the machine", "管理令牌和本机"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_what_it_should() {
        assert_eq!(ROLES.len(), 12);
        assert!(of_roles(["clerk"]).contains(&Handle));
        assert!(!of_roles(["clerk"]).contains(&People));
        assert!(!of_roles(["operator"]).contains(&Petitioner));
        assert!(!of_roles(["collector"]).contains(&Handle));
        assert!(of_roles(["nobody"]).is_empty());
        assert_eq!(of_scopes(["matters:read"]), BTreeSet::from([Read]));
        assert!(!of_scopes(["matters:write"]).contains(&TakeOver));
        assert_eq!(of_scopes(["admin"]), everything());
        assert_eq!(of_step("accept"), Handle);
        assert_eq!(of_step("take_over"), TakeOver);
        assert_eq!(of_step("something new"), Handle);
    }
}
