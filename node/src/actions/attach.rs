//! Photos: brought here, put to a matter, looked at, let go.
//!
//! A photo is brought first and named afterwards. What is brought is durable before anybody is told so, and it is
//! its bringer's alone until an act of theirs names it; what no act came to name is thrown away after a day. The act
//! says which bytes it means, so whoever has the matter can fetch them from whoever has them.

use super::{
    ActionError, Actions, By, day_text, instant_text,
    matter_view::Viewer,
    privacy,
    views::{ActedView, AttachmentView},
    words::optional_short,
};
use crate::{
    pictures::{self, PictureError},
    store::{FileRow, FileState},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use yishi_protocol::{
    act::Voice,
    attachment::{self, FileKind, PieceList},
    fold::Attached,
    ids::{DocId, Hash},
    limits::{ATTACHMENT_CAPTION_CHARS_MAX, ATTACHMENT_PIECE_BYTES},
};

/// How long a file waits for an act that names it.
const STRAY_MS: u64 = 24 * 60 * 60 * 1_000;
/// Files in one answer of the list.
const LISTED_MAX: u32 = 500;

/// Which photo to put to a matter, and what it shows.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttachRequest {
    /// The file, brought before by the same person.
    pub file: Hash,
    /// `photo` (if missing), `sign_in`, `count` or `receipt`.
    pub about: Option<String>,
    /// What is written under it.
    pub caption: Option<String>,
}

/// A photo that was brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeptFile {
    /// The file's BLAKE3 hash: what names it.
    pub file: Hash,
    /// Its bytes as kept.
    pub size: u64,
    /// `jpeg`, `png` or `webp`.
    pub kind: FileKind,
    /// The bytes that were left out: where and with what it was taken.
    pub left_out: u64,
}

/// A file here, for whoever looks after the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileView {
    /// The file.
    pub file: Hash,
    /// Its bytes.
    pub size: u64,
    /// `here`, `on_its_way` or `let_go`.
    pub state: &'static str,
    /// How many of its pieces are here.
    pub have: u32,
    /// How many it has.
    pub pieces: u32,
    /// Whether the place above has said that it stored it.
    pub above: bool,
    /// Since when it is so.
    pub since: String,
    /// The matters that name it.
    pub matters: Vec<String>,
}

/// Some of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FilesView {
    /// In the order in which they became known.
    pub items: Vec<FileView>,
    /// For the next ones.
    pub next_cursor: Option<String>,
}

fn state_name(state: FileState) -> &'static str {
    match state {
        FileState::Here => "here",
        FileState::Wanted => "on_its_way",
        FileState::LetGo => "let_go",
    }
}

impl Viewer<'_> {
    /// A photo of a matter, with where its file is.
    pub(super) fn attachment(&self, a: &Attached, file: Option<&FileRow>) -> AttachmentView {
        let pieces = attachment::pieces_of(a.size).unwrap_or(0);
        AttachmentView {
            act: a.act,
            file: a.file,
            size: a.size,
            kind: a.kind.clone(),
            about: a.about.clone(),
            caption: a.caption.clone(),
            place: self.place(&a.place),
            on: day_text(a.on),
            // Until the lists are made nobody has asked for it.
            state: file.map_or("on_its_way", |f| state_name(f.state)),
            have: file.map_or(0, |f| f.have),
            pieces: file.map_or(pieces, |f| f.pieces),
            above: file.is_some_and(|f| f.above),
        }
    }
}

impl From<PictureError> for ActionError {
    fn from(why: PictureError) -> Self {
        Self::invalid(
            "photo",
            format!("{} Nothing was saved of it.", why.en()),
            format!("{}这张没有保存。", why.zh()),
        )
    }
}

impl Actions {
    /// Keeps a photo, without what says who took it where; durable when it returns.
    ///
    /// # Errors
    /// [`PictureError`] as [`ActionError::Invalid`] if it is none that is taken.
    pub async fn keep_file(&self, by: &str, bytes: Vec<u8>) -> Result<KeptFile, ActionError> {
        let brought = bytes.len() as u64;
        let made = move || -> Result<_, PictureError> {
            let picture = pictures::clean(&bytes)?;
            drop(bytes);
            let list = PieceList::of(&picture.bytes).map_err(|_| PictureError::TooLarge)?;
            let file = attachment::name_of(&picture.bytes);
            let pieces: Vec<Vec<u8>> =
                picture.bytes.chunks(ATTACHMENT_PIECE_BYTES).map(<[u8]>::to_vec).collect();
            Ok((file, picture.kind, picture.bytes.len() as u64, list.bytes(), pieces))
        };
        let made = tokio::task::spawn_blocking(made).await;
        let (file, kind, size, list, pieces) =
            made.map_err(|_| ActionError::Broken("a photo could not be read"))??;
        self.store().keep_upload(file, list, pieces, by.to_owned(), self.now_ms()).await?;
        Ok(KeptFile { file, size, kind, left_out: brought.saturating_sub(size) })
    }

    /// Puts a photo to a matter.
    ///
    /// # Errors
    /// [`ActionError`]; the photo stays brought, nothing else is kept.
    pub async fn attach(
        &self,
        by: By<'_>,
        reference: &str,
        requests: &[AttachRequest],
    ) -> Result<ActedView, ActionError> {
        let doc = self.find_matter(reference).await?;
        let mut voices = Vec::with_capacity(requests.len());
        for request in requests {
            voices.push(self.attach_voice(by, request).await?);
        }
        let locked = self.lock([doc]).await;
        let mut draft = self.draft(&doc).await?;
        let mut batch = self.dated_batch()?;
        let me = self.world().me.place;
        let there = draft.matter()?.attachments;
        let mut last = None;
        for voice in voices {
            // Sent twice, it is there once.
            let same = |a: &&Attached| matches!(&voice, Voice::Attach { file, .. } if a.file == *file && a.place == me);
            last = Some(match there.iter().find(same) {
                Some(there) => there.act,
                None => draft.voice(by, self.today(), voice)?,
            });
        }
        let act = last.ok_or_else(|| ActionError::missing("photo"))?;
        draft.into_batch(&mut batch);
        self.store().write(batch).await?;
        drop(locked);
        Ok(ActedView { matter: self.matter_by_id(&doc).await?, act, warnings: Vec::new() })
    }

    /// What is written for a photo that the same person brought, or that a matter here shows already.
    pub(super) async fn attach_voice(
        &self,
        by: By<'_>,
        request: &AttachRequest,
    ) -> Result<Voice, ActionError> {
        let kept = self.file(by.unwrap_or_default(), &request.file).await?;
        let Some(kept) = kept.filter(|f| f.state == FileState::Here) else {
            return Err(ActionError::invalid(
                "photo",
                "The photo is not here any more. Nothing was saved. Choose it again.",
                "照片已不在这里，尚未保存。请重新选择照片。",
            ));
        };
        let first = self.store().file_piece(&kept, 0).await?.unwrap_or_default();
        let kind = FileKind::of_bytes(&first).ok_or(PictureError::NotPicture)?;
        let about = optional_short("about", request.about.as_deref())?;
        if about.as_deref().is_some_and(|a| !attachment::ABOUTS.contains(&a)) {
            return Err(ActionError::invalid(
                "about",
                "A photo shows photo, sign_in, count or receipt. Nothing was saved.",
                "照片内容只能是 photo（现场）、sign_in（签到）、count（唱票）或 receipt（单据），尚未保存。",
            ));
        }
        let caption = optional_short("caption", request.caption.as_deref())?;
        if let Some(caption) = &caption {
            if !privacy::take_numbers(caption, privacy::MOVED).1.is_empty() {
                return Err(ActionError::invalid(
                    "caption",
                    "There is a telephone or identity number in what stands under the photo, and everybody who sees the matter reads it. Nothing was saved. Leave the number out.",
                    "照片说明里有电话或证件号码，凡看得到事项的人都会看到，尚未保存。请去掉号码。",
                ));
            }
            if caption.chars().count() > ATTACHMENT_CAPTION_CHARS_MAX {
                return Err(ActionError::invalid(
                    "caption",
                    "What stands under a photo has at most 200 characters. Nothing was saved.",
                    "照片说明最多 200 字，尚未保存。",
                ));
            }
        }
        Ok(Voice::Attach {
            file: kept.file,
            size: kept.size.cast_signed(),
            format: kind.name().to_owned(),
            about: about.filter(|a| a != "photo"),
            caption,
        })
    }

    /// A file with where it is, for somebody who may see the matters here, or brought it themselves. `None` as well
    /// if there is none.
    ///
    /// # Errors
    /// [`ActionError`] when the store cannot be read.
    pub async fn file(&self, by: &str, file: &Hash) -> Result<Option<FileRow>, ActionError> {
        let Some(row) = self.store().file(file).await? else { return Ok(None) };
        let theirs = row.uploaded_by.as_deref() == Some(by);
        let named = theirs || !self.store().naming(file).await?.is_empty();
        Ok(named.then_some(row))
    }

    /// One piece of a file that is here.
    ///
    /// # Errors
    /// [`ActionError`] when the store cannot be read.
    pub async fn file_piece(&self, file: &FileRow, number: u32) -> Result<Option<Vec<u8>>, ActionError> {
        Ok(self.store().file_piece(file, number).await?)
    }

    /// Somebody asks for a file that was let go: it is fetched again.
    ///
    /// # Errors
    /// [`ActionError`] when it was not stored.
    pub async fn fetch_file(&self, file: &FileRow) -> Result<bool, ActionError> {
        Ok(file.state == FileState::LetGo && self.store().want_again(file.file, self.now_ms()).await?)
    }

    /// Lets a file go that the place above has.
    ///
    /// # Errors
    /// [`ActionError::Invalid`] says why it stays.
    pub async fn let_go(&self, file: &Hash) -> Result<FileView, ActionError> {
        let row = self.store().file(file).await?;
        let row = row.ok_or_else(|| ActionError::UnknownMatter(file.to_string()))?;
        if row.state == FileState::Here && !row.above {
            return Err(ActionError::invalid(
                "file",
                "The place above has not said that it has this photo. It stays here: otherwise it would be nowhere. Wait until it is marked as stored above.",
                "上级还没有收到这张照片，没有清出：清出就找不回来了。等标明“上级已有”再清。",
            ));
        }
        self.store().let_go(*file, self.now_ms()).await?;
        let row = self.store().file(file).await?;
        self.file_view(&row.ok_or_else(|| ActionError::UnknownMatter(file.to_string()))?).await
    }

    async fn file_view(&self, row: &FileRow) -> Result<FileView, ActionError> {
        let named = self.store().naming(&row.file).await?;
        let docs: BTreeSet<DocId> = named.into_iter().map(|(doc, _)| doc).collect();
        let matters = self.store().matters_of(&docs.into_iter().collect::<Vec<_>>()).await?;
        Ok(FileView {
            file: row.file,
            size: row.size,
            state: state_name(row.state),
            have: row.have,
            pieces: row.pieces,
            above: row.above,
            since: instant_text(row.since_ms),
            matters: matters.into_iter().map(|m| m.number.unwrap_or_else(|| m.doc.to_string())).collect(),
        })
    }

    /// The files known here, in the order in which they became known.
    ///
    /// # Errors
    /// [`ActionError::Invalid`] for a cursor that is none.
    pub async fn files(&self, limit: Option<u32>, cursor: Option<&str>) -> Result<FilesView, ActionError> {
        let after = cursor.map_or(Ok(0), str::parse::<i64>).map_err(|_| {
            ActionError::invalid("cursor", "The cursor is none of this list.", "翻页标记不对。")
        })?;
        let limit = limit.unwrap_or(50).clamp(1, LISTED_MAX);
        let rows = self.store().files_after(after, limit).await?;
        let full = rows.len() as u32 == limit;
        let next_cursor = rows.last().filter(|_| full).map(|(row, _)| row.to_string());
        let mut items = Vec::with_capacity(rows.len());
        for (_, row) in &rows {
            items.push(self.file_view(row).await?);
        }
        Ok(FilesView { items, next_cursor })
    }

    /// Throws away files that nobody put to a matter.
    ///
    /// # Errors
    /// [`ActionError`] when it was not stored.
    pub async fn sweep_files(&self) -> Result<u64, ActionError> {
        Ok(self.store().sweep_files(self.now_ms().saturating_sub(STRAY_MS)).await?)
    }
}
