//! Photos: whether each piece that is here is that of the file the matters name.

use super::report::{Area, Finding};
use crate::store::{FileRow, Store, StoreError};
use yishi_protocol::attachment::PieceList;

/// Files looked up together.
const PAGE: u32 = 500;

/// Goes through all files, a piece in memory at a time; gives how many pieces, and what does not hold.
pub(super) async fn check(store: &Store) -> Result<(u64, Vec<Finding>), StoreError> {
    let (mut after, mut pieces, mut found) = (0, 0, Vec::new());
    loop {
        let page = store.files_after(after, PAGE).await?;
        let Some((last, _)) = page.last() else { return Ok((pieces, found)) };
        after = *last;
        for (_, file) in &page {
            pieces += u64::from(file.have);
            if let Some(number) = broken(store, file).await? {
                let subject = format!("照片 photo {}", file.file);
                let zh = format!("第 {} 份不是这张照片的，应从备份或上级取回", number + 1);
                let en = format!("piece {} is not that of the file; it is in a backup or above", number + 1);
                found.push(Finding::new(Area::Promised, "attachment_pieces", &subject, zh, en));
            }
        }
    }
}

/// The first piece that does not hold.
async fn broken(store: &Store, file: &FileRow) -> Result<Option<u32>, StoreError> {
    if file.have == 0 {
        return Ok(None);
    }
    let list = store.file_list(file).await?.unwrap_or_default();
    let Ok(list) = PieceList::read(&file.file, file.size, &list) else { return Ok(Some(0)) };
    for number in 0..file.have {
        let piece = store.file_piece(file, number).await?;
        if piece.is_none_or(|piece| list.check(number, &piece).is_err()) {
            return Ok(Some(number));
        }
    }
    Ok(None)
}
