use crate::model::{Account, ItemAccount, ItemKey, ItemStatus, ItemSummary};

/// One item's share of the accounts.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    pub key: ItemKey,
    pub status: ItemStatus,
    pub units: Account,
    pub listed: bool,
    pub listing_failed: bool,
}

impl Standing {
    pub fn of(summary: &ItemSummary) -> Self {
        Self {
            key: summary.key.clone(),
            status: summary.status,
            units: summary.in_accounts(summary.units),
            listed: summary.listed,
            // What has kept a table or an item back is no failure any more when it is set aside.
            listing_failed: summary.has_failed_listing(),
        }
    }

    pub fn add_to(&self, items: &mut ItemAccount) {
        *items.column(self.status) += 1;
        items.failed_listings += u64::from(self.listing_failed);
    }

    pub fn remove_from(&self, items: &mut ItemAccount) {
        *items.column(self.status) -= 1;
        items.failed_listings -= u64::from(self.listing_failed);
    }
}
