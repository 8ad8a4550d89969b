//! Whom phones are asked to trust: a small certificate authority of this node alone.
//!
//! ```text
//!  root, until 2049     its key is thrown away the moment it has signed the one certificate below it
//!   └─ issuer           may vouch for this node's own names and addresses, and for no server else
//!       └─ web key      a certificate of a year, made anew by itself
//! ```
//! A phone that trusts the root trusts what the issuer may say, which is a list of this node's names: whoever
//! steals the box, and the issuer's key with it, can read no other traffic of that phone. The list stands in
//! root and issuer; some phones do not heed it in a root, every one heeds it in the issuer, and nobody has a
//! key to put another issuer beside it. Root and issuer do not depend on this machine's clock.

use super::{
    secret,
    tls::{WebKeyError, keep},
};
use crate::clock::{EARLIEST_MS, day_of_ms};
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, PKCS_ECDSA_P256_SHA256,
    PublicKeyData, SerialNumber, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fs, io, net::IpAddr, path::Path};
use yishi_protocol::calendar::Date;

/// The authority's file inside the data directory.
pub(super) const AUTHORITY_FILE: &str = "web-authority.json";
/// What this machine is called by itself.
const HERE: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
/// Apple takes at most 825 days, public authorities 398; a certificate is made anew long before.
const LEAF_DAYS: i64 = 390;
/// Phones whose clocks are late accept it all the same.
const LEAF_EARLIER_DAYS: i64 = 30;
/// A certificate this old is made anew at the next caller's handshake.
pub(super) const RENEWED_AFTER_DAYS: i64 = 60;

/// What is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    version: u8,
    /// What the root is called in a phone's list.
    title: String,
    /// The names and addresses it may vouch for.
    names: Vec<String>,
    issuer_key: String,
    issuer: String,
    root: String,
}

/// The authority, ready to vouch.
#[derive(Debug)]
pub(super) struct Authority {
    kept: Kept,
    issuer: CertificateDer<'static>,
    root: CertificateDer<'static>,
}

/// The names asked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Names<'a> {
    /// Those the operator wrote down: the authority must cover them.
    pub(super) stated: &'a [String],
    /// An address found on this machine: covered if the authority is made now.
    pub(super) found: Option<IpAddr>,
}

impl Authority {
    /// Reads `DIR/web-authority.json`, or makes it; makes another if a stated name is not covered.
    pub(super) fn open(dir: &Path, place: &str, names: &Names<'_>) -> Result<Self, WebKeyError> {
        let path = dir.join(AUTHORITY_FILE);
        let broken = |what: String| WebKeyError::BrokenAuthority(path.clone(), what);
        let stated: BTreeSet<String> = names.stated.iter().filter_map(|n| usable(n)).collect();
        match fs::read_to_string(&path) {
            Ok(text) => {
                let kept: Kept = serde_json::from_str(&text).map_err(|e| broken(e.to_string()))?;
                if kept.version != 1 {
                    return Err(broken(format!("version {}", kept.version)));
                }
                if stated.iter().all(|name| kept.names.contains(name)) {
                    return Self::of(kept).map_err(broken);
                }
                tracing::warn!(
                    "the names in the configuration are not those phones trust: a new certificate authority was made, and every phone has to trust it anew (/trust)"
                );
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(WebKeyError::Unreadable(path, e)),
        }
        let mut all: BTreeSet<String> = HERE.map(str::to_owned).into();
        all.extend(stated);
        all.extend(names.found.map(|ip| ip.to_string()));
        let kept = make(place, all.into_iter().collect()).map_err(|e| WebKeyError::Made(e.to_string()))?;
        let text = serde_json::to_string_pretty(&kept).map_err(|e| WebKeyError::Made(e.to_string()))?;
        keep(dir, &path, &text)?;
        Self::of(kept).map_err(broken)
    }

    fn of(kept: Kept) -> Result<Self, String> {
        let der = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|e| e.to_string());
        KeyPair::from_pem(&kept.issuer_key).map_err(|e| e.to_string())?;
        let (issuer, root) = (der(&kept.issuer)?, der(&kept.root)?);
        Ok(Self { issuer, root, kept })
    }

    /// The certificate phones are asked to trust.
    pub(super) fn root(&self) -> &CertificateDer<'static> {
        &self.root
    }

    /// What it is called in a phone's list.
    pub(super) fn title(&self) -> &str {
        &self.kept.title
    }

    /// What it vouches for.
    pub(super) fn names(&self) -> &[String] {
        &self.kept.names
    }

    /// A certificate for the web key, good from a month before `now_ms` for a year, with the issuer's.
    pub(super) fn vouch(
        &self,
        web: &impl PublicKeyData,
        now_ms: u64,
    ) -> Result<Vec<CertificateDer<'static>>, rcgen::Error> {
        let key = KeyPair::from_pem(&self.kept.issuer_key)?;
        let mut issuer = CertificateParams::default();
        issuer.distinguished_name = called(&issuer_title(&self.kept.title));
        issuer.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer = Issuer::new(issuer, key);
        let mut leaf = CertificateParams::new(self.kept.names.clone())?;
        let today = day_of_ms(now_ms.max(EARLIEST_MS));
        let ((y, m, d), (yy, mm, dd)) =
            (ymd(today - LEAF_EARLIER_DAYS), ymd(today - LEAF_EARLIER_DAYS + LEAF_DAYS));
        leaf.not_before = date_time_ymd(y, m, d);
        leaf.not_after = date_time_ymd(yy, mm, dd);
        leaf.serial_number = Some(serial());
        leaf.distinguished_name = called("yishi-node");
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        leaf.use_authority_key_identifier_extension = true;
        let leaf = leaf.signed_by(web, &issuer)?;
        Ok(vec![leaf.into(), self.issuer.clone()])
    }
}

/// Whether a name can stand in a certificate: an address or an ASCII host name.
fn usable(name: &str) -> Option<String> {
    let name = name.trim().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    let fits = name.parse::<IpAddr>().is_ok() || (!name.is_empty() && name.chars().all(plain));
    fits.then_some(name)
}

fn make(place: &str, names: Vec<String>) -> Result<Kept, rcgen::Error> {
    // Two roots of one place, an old and a new one, are told apart by four letters in a phone's list.
    let mark: String = secret::fresh().chars().take(4).collect();
    let title = format!("议事 {place} {}", mark.to_ascii_uppercase());
    let limits = || {
        let subtree = |name: &String| match name.parse::<IpAddr>() {
            Ok(ip) => {
                let whole = if ip.is_ipv4() { 32 } else { 128 };
                GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(ip, whole))
            }
            Err(_) => GeneralSubtree::DnsName(name.clone()),
        };
        NameConstraints {
            permitted_subtrees: names.iter().map(subtree).collect(),
            excluded_subtrees: Vec::new(),
        }
    };
    let authority = |title: &str, below: u8| {
        let mut params = CertificateParams::default();
        params.not_before = date_time_ymd(2024, 1, 1);
        params.not_after = date_time_ymd(2049, 12, 31);
        params.serial_number = Some(serial());
        params.distinguished_name = called(title);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(below));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.name_constraints = Some(limits());
        params
    };
    let issuer_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    // This key signs itself and one certificate, and is gone at the end of this function.
    let root_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let root_params = authority(&title, 1);
    let root = root_params.self_signed(&root_key)?;
    let mut params = authority(&issuer_title(&title), 0);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let issuer = params.signed_by(&issuer_key, &Issuer::new(root_params, root_key))?;
    Ok(Kept {
        version: 1,
        title,
        names,
        issuer_key: issuer_key.serialize_pem(),
        issuer: issuer.pem(),
        root: root.pem(),
    })
}

fn issuer_title(root: &str) -> String {
    format!("{root} ·")
}

fn called(title: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, title);
    name
}

/// Random, positive: no two certificates of one issuer share a number.
fn serial() -> SerialNumber {
    let mut bytes = rand::random::<[u8; 16]>();
    if let Some(first) = bytes.first_mut() {
        *first = (*first & 0x7f) | 0x40;
    }
    SerialNumber::from_slice(&bytes)
}

/// A day as a certificate has it.
fn ymd(day: i64) -> (i32, u8, u8) {
    let text = Date::from_days(day).map(|d| d.to_string()).unwrap_or_default();
    let mut parts = text.split('-');
    let year = parts.next().and_then(|y| y.parse().ok()).unwrap_or(2026);
    let mut small = || parts.next().and_then(|p| p.parse().ok()).unwrap_or(1);
    (year, small(), small())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::{
        RootCertStore,
        client::{WebPkiServerVerifier, danger::ServerCertVerifier},
        pki_types::{ServerName, UnixTime},
    };
    use std::{sync::Arc, time::Duration};

    const NOW_MS: u64 = 1_795_399_200_000;

    fn open(dir: &Path, stated: &[&str], found: Option<&str>) -> Authority {
        let stated: Vec<String> = stated.iter().map(|&n| n.to_owned()).collect();
        let names = Names { stated: &stated, found: found.map(|f| f.parse().unwrap()) };
        Authority::open(dir, "芦稿村", &names).unwrap()
    }

    /// Whether a phone that trusts `root` goes on to `name`.
    fn trusted(root: &Authority, chain: &[CertificateDer<'static>], name: &str, now_ms: u64) -> bool {
        let mut roots = RootCertStore::empty();
        roots.add(root.root().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let phone = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let now = UnixTime::since_unix_epoch(Duration::from_millis(now_ms));
        phone.verify_server_cert(&chain[0], &chain[1..], &name, &[], now).is_ok()
    }

    #[test]
    fn a_phone_that_trusts_the_root_goes_to_the_nodes_own_names_for_years() {
        let dir = tempfile::tempdir().unwrap();
        let authority = open(dir.path(), &["cun.lan", "村委会.lan", "10.1.2.3"], Some("192.168.8.1"));
        let web = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let chain = authority.vouch(&web, NOW_MS).unwrap();
        for name in ["cun.lan", "10.1.2.3", "192.168.8.1", "localhost", "127.0.0.1", "::1"] {
            assert!(trusted(&authority, &chain, name, NOW_MS), "{name}");
        }
        for name in ["192.168.8.2", "bank.example", "www.cun.lan"] {
            assert!(!trusted(&authority, &chain, name, NOW_MS), "{name}");
        }
        let later = NOW_MS + 20 * 365 * 86_400_000;
        assert!(!trusted(&authority, &chain, "cun.lan", later), "a certificate of a year");
        // The next start knows the same root, which vouches for a fresh certificate twenty years on.
        let again = open(dir.path(), &["cun.lan"], Some("172.16.0.9"));
        assert_eq!(again.root(), authority.root());
        assert!(trusted(&authority, &again.vouch(&web, later).unwrap(), "cun.lan", later));
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &fs::metadata(dir.path().join(AUTHORITY_FILE)).unwrap().permissions(),
        );
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn whoever_steals_the_issuers_key_vouches_for_nobody_else() {
        let dir = tempfile::tempdir().unwrap();
        let mut stolen = open(dir.path(), &["cun.lan"], None);
        let web = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        for name in ["bank.example", "8.8.8.8"] {
            stolen.kept.names = vec![name.to_owned()];
            let chain = stolen.vouch(&web, NOW_MS).unwrap();
            assert!(!trusted(&stolen, &chain, name, NOW_MS), "{name}");
        }
        let text = fs::read_to_string(dir.path().join(AUTHORITY_FILE)).unwrap();
        assert_eq!(text.matches("BEGIN PRIVATE KEY").count(), 1, "the root's key is kept nowhere");
    }

    #[test]
    fn a_name_that_is_not_covered_makes_another_root_and_a_broken_file_none() {
        let dir = tempfile::tempdir().unwrap();
        let first = open(dir.path(), &[], Some("192.168.8.1"));
        let second = open(dir.path(), &["192.168.9.1"], None);
        assert_ne!(first.root(), second.root());
        assert!(second.names().contains(&"192.168.9.1".to_owned()));
        fs::write(dir.path().join(AUTHORITY_FILE), "{}").unwrap();
        let broken = Authority::open(dir.path(), "芦稿村", &Names::default());
        assert!(matches!(broken, Err(WebKeyError::BrokenAuthority(..))));
        assert_eq!(fs::read_to_string(dir.path().join(AUTHORITY_FILE)).unwrap(), "{}");
    }
}
