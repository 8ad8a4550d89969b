//! What a verification found, for people and for programs.

use serde::Serialize;
use std::fmt;

/// Findings told in full; more are only counted.
const FINDINGS_TOLD: usize = 200;
/// Of these, how many a terminal shows.
const FINDINGS_SHOWN: usize = 30;

/// What a finding is about, which decides what is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Area {
    /// Something signed: certificates, headers, widenings, keys, changes.
    Signed,
    /// What was promised to neighbours: feeds, receipts, acknowledgements.
    Promised,
    /// What is derived from the signed and can be made again.
    Derived,
}

/// Something that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it is about.
    pub area: Area,
    /// The table it stands in.
    pub table: &'static str,
    /// Which document, certificate or link.
    pub subject: String,
    /// What is wrong, in Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
}

impl Finding {
    pub(super) fn new(area: Area, table: &'static str, subject: &str, zh: String, en: String) -> Self {
        Self { area, table, subject: subject.to_owned(), zh, en }
    }
}

/// A whole verification.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// The place whose database it is.
    pub place: String,
    /// Certificates and revocations.
    pub certificates: u64,
    /// Documents looked at.
    pub documents: u64,
    /// Changes in them.
    pub changes: u64,
    /// Signatures of changes that were checked.
    pub signatures: u64,
    /// Records beside dossiers: wrapped keys, words to forget.
    pub wraps: u64,
    /// Rows of feeds.
    pub feed_rows: u64,
    /// Receipts of levels above.
    pub receipts: u64,
    /// Acknowledgements given to neighbours.
    pub acks: u64,
    /// Pieces of photos.
    pub pieces: u64,
    /// The first findings.
    pub findings: Vec<Finding>,
    /// How many there are in all.
    pub found: u64,
    /// How many of them are about something signed.
    pub signed_found: u64,
    /// How many are about promises to neighbours.
    pub promised_found: u64,
    /// How long it took.
    pub seconds: f64,
}

impl Report {
    pub(super) fn add(&mut self, finding: Finding) {
        self.found += 1;
        match finding.area {
            Area::Signed => self.signed_found += 1,
            Area::Promised => self.promised_found += 1,
            Area::Derived => {}
        }
        if self.findings.len() < FINDINGS_TOLD {
            self.findings.push(finding);
        }
    }

    /// Whether nothing was found.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.found == 0
    }

    /// The exit status: 0; 40 if something signed does not hold; 41 if only promises to neighbours or
    /// what can be made again does not.
    #[must_use]
    pub fn status(&self) -> u8 {
        match (self.found, self.signed_found) {
            (0, _) => 0,
            (_, 0) => 41,
            _ => 40,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}：{} 份证书，{} 份文档，{} 处改动，{} 个签名，{} 份封存记录，{} 行送达记录，{} 张上级回执，{} 张给出的回执；{:.1} 秒。",
            self.place,
            self.certificates,
            self.documents,
            self.changes,
            self.signatures,
            self.wraps,
            self.feed_rows,
            self.receipts,
            self.acks,
            self.seconds
        )?;
        writeln!(
            f,
            "{}: {} certificates, {} documents, {} changes, {} signatures, {} records beside dossiers, {} feed rows, {} receipts held, {} given; {:.1} s.",
            self.place,
            self.certificates,
            self.documents,
            self.changes,
            self.signatures,
            self.wraps,
            self.feed_rows,
            self.receipts,
            self.acks,
            self.seconds
        )?;
        let mut findings: Vec<&Finding> = self.findings.iter().collect();
        findings.sort_by_key(|finding| finding.area);
        for finding in findings.iter().take(FINDINGS_SHOWN) {
            let Finding { table, subject, zh, en, .. } = finding;
            writeln!(f, "✗ {subject}：{zh}。\n  {subject}, table {table}: {en}.")?;
        }
        if self.found as usize > FINDINGS_SHOWN {
            writeln!(f, "…… 共 {} 处。{} findings in all.", self.found, self.found)?;
        }
        f.write_str(self.advice())
    }
}

impl Report {
    fn advice(&self) -> &'static str {
        let derived = self.found - self.signed_found - self.promised_found;
        if self.holds() {
            return "全部成立。账号、会话和本机设置没有签名，不在核验之内。\nEverything holds. Accounts, sessions and local settings carry no signatures and were not part of this.\n";
        }
        if self.signed_found > 0 {
            return "核验没有改动任何内容；没有点名的文档都完好，可以照常查看。点名的内容在本机上已不可信，不要再由本机送出：请停下节点，把数据目录另存一份，用最近一份核验通过的备份恢复（yishi-node restore），此后写下并送达过上下级的内容会自动取回。没有备份时请联系上级更换（见 deploy/runbook.md）。\nNothing was changed by looking; every document not named here is whole. What is named is not to be trusted on this machine any more: stop the node, copy its folder aside and restore the latest backup that verifies (yishi-node restore); what was written since and had reached a neighbour comes back by itself. Without a backup, see deploy/runbook.md.\n";
        }
        if self.promised_found > 0 {
            return "签名的内容全部完好，核验没有改动任何内容。受损的是与上下级之间的送达记录：请停下节点，做一份备份（yishi-node backup），恢复到新目录（yishi-node restore），启动后双方会重新核对。\nEverything signed is whole and nothing was changed by looking. What is damaged is the record of what went to neighbours: stop the node, back it up, restore the backup into a new folder and start that; both sides then compare what they hold.\n";
        }
        debug_assert!(derived > 0);
        "签名的内容全部完好，核验没有改动任何内容。只有列表需要重做：停下节点后运行 yishi-node rebuild --dir 目录。\nEverything signed is whole and nothing was changed by looking. Only lists have to be made again: stop the node and run `yishi-node rebuild --dir DIR`.\n"
    }
}
