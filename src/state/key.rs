use crate::model::ItemId;

/// The id under which records of the whole job stand. No item has it: ids are digests.
const JOB: ItemId = ItemId([0; 16]);

/// What a record is. The number is part of its key and never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An item's summary.
    Summary = 1,
    /// A reference into a segment: the page is sealed.
    Sealed = 2,
    /// A piece of the intent of a page that is not sealed, or that was taken up again.
    Intent = 3,
    /// Results of units of such a page, as one commit brought them.
    Delta = 4,
    /// The format record.
    Format = 0x10,
    /// The fixed vars.
    Vars = 0x11,
    /// The fingerprints of the stages.
    Fingerprints = 0x12,
    /// The end of the segments as the database knows it.
    Tail = 0x13,
    /// A run; its number stands where an item's key has page and sequence.
    Run = 0x14,
}

/// A key: 16 bytes of item id ‖ kind ‖ page ‖ sequence, all big-endian, so that what belongs together stands together and an
/// item's records are read in the order of their pages and commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key(pub [u8; Key::LENGTH]);

impl Key {
    pub(super) const LENGTH: usize = 16 + 1 + 4 + 4;

    fn new(item: ItemId, kind: Kind, page: u32, sequence: u32) -> Self {
        let mut bytes = [0; Self::LENGTH];
        bytes[..16].copy_from_slice(&item.0);
        bytes[16] = kind as u8;
        bytes[17..21].copy_from_slice(&page.to_be_bytes());
        bytes[21..].copy_from_slice(&sequence.to_be_bytes());
        Self(bytes)
    }

    pub(super) fn job(kind: Kind) -> Self {
        Self::new(JOB, kind, 0, 0)
    }

    pub(super) fn run(number: u64) -> Self {
        let mut key = Self::new(JOB, Kind::Run, 0, 0);
        key.0[17..].copy_from_slice(&number.to_be_bytes());
        key
    }

    pub(super) fn summary(item: ItemId) -> Self {
        Self::new(item, Kind::Summary, 0, 0)
    }

    pub(super) fn sealed(item: ItemId, page: u32) -> Self {
        Self::new(item, Kind::Sealed, page, 0)
    }

    pub(super) fn intent(item: ItemId, page: u32, piece: u32) -> Self {
        Self::new(item, Kind::Intent, page, piece)
    }

    pub(super) fn delta(item: ItemId, page: u32, sequence: u32) -> Self {
        Self::new(item, Kind::Delta, page, sequence)
    }

    /// The key itself, if `bytes` has a key's length.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub(super) fn item(&self) -> ItemId {
        let mut id = [0; 16];
        id.copy_from_slice(&self.0[..16]);
        ItemId(id)
    }

    pub(super) fn page(&self) -> u32 {
        u32::from_be_bytes([self.0[17], self.0[18], self.0[19], self.0[20]])
    }

    pub(super) fn sequence(&self) -> u32 {
        u32::from_be_bytes([self.0[21], self.0[22], self.0[23], self.0[24]])
    }
}

/// The beginning that the keys of a group share.
#[derive(Clone, Debug)]
pub(super) struct Prefix(pub Vec<u8>);

impl Prefix {
    pub(super) fn job(kind: Kind) -> Self {
        Self::item(JOB, kind)
    }

    /// All records of one kind of an item.
    pub(super) fn item(item: ItemId, kind: Kind) -> Self {
        Self([&item.0[..], &[kind as u8]].concat())
    }

    /// All records of one kind of a page.
    pub(super) fn page(item: ItemId, kind: Kind, page: u32) -> Self {
        Self([&item.0[..], &[kind as u8], &page.to_be_bytes()].concat())
    }
}

/// The first key that an item after `item` can have; `None` behind the last possible one.
pub(super) fn after_item(item: ItemId) -> Option<Key> {
    let next = u128::from_be_bytes(item.0).checked_add(1)?;
    Some(Key::summary(ItemId(next.to_be_bytes())))
}

/// The first key that any item can have.
pub(super) fn first_item() -> Option<Key> {
    after_item(JOB)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_by_item_then_kind_then_page_then_sequence() {
        let (low, high) = (ItemId([1; 16]), ItemId([2; 16]));
        let sorted = [
            Key::run(u64::MAX),
            Key::summary(low),
            Key::sealed(low, 256),
            Key::intent(low, 1, 0),
            Key::delta(low, 1, 255),
            Key::delta(low, 1, 256),
            Key::delta(low, 2, 0),
            Key::summary(high),
        ];
        assert!(sorted.is_sorted());
        let key = Key::delta(low, 7, 9);
        assert_eq!((key.item(), key.page(), key.sequence()), (low, 7, 9));
        assert!(key.0.starts_with(&Prefix::page(low, Kind::Delta, 7).0));
        assert_eq!(
            after_item(low).map(|key| key > Key::delta(low, u32::MAX, u32::MAX)),
            Some(true)
        );
        assert_eq!(after_item(ItemId([255; 16])), None);
    }
}
