//! Questions that name somebody who is erased: the entry stays, the texts do not.

use insights_database::Error;
use insights_domain::personal_text::PersonalTexts;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{Audit, ERASED, entity};

/// Entries read at a time.
const AT_ONCE: u64 = 1_000;

/// An entry whose question names somebody: its key, and the question without the names.
type ConcealedEntry = ((i64, i64), String);

impl Audit {
    /// How many entries have questions with one of the texts.
    pub(crate) async fn naming(&self, partner: &str, texts: &PersonalTexts) -> Result<usize, Error> {
        let (mut found, mut after) = (0, None);
        while let Some((page, last)) = self.page_naming(partner, texts, after).await? {
            found += page.len();
            after = Some(last);
        }
        Ok(found)
    }

    /// Puts a placeholder in the place of the texts. Returns how many entries had any.
    pub(crate) async fn conceal(&self, partner: &str, texts: &PersonalTexts) -> Result<usize, Error> {
        let (mut found, mut after) = (0, None);
        while let Some((page, last)) = self.page_naming(partner, texts, after).await? {
            found += page.len();
            after = Some(last);
            for ((at_micros, record_id), asked) in page {
                entity::Entity::update_many()
                    .col_expr(entity::Column::Asked, Expr::value(asked))
                    .filter(entity::Column::Partner.eq(partner))
                    .filter(entity::Column::AtMicros.eq(at_micros))
                    .filter(entity::Column::RecordId.eq(record_id))
                    .exec(self.database.writer())
                    .await?;
            }
        }
        Ok(found)
    }

    /// Those of the next entries that name somebody, and the key of the last one that was looked at; none: there are no more.
    async fn page_naming(
        &self,
        partner: &str,
        texts: &PersonalTexts,
        after: Option<(i64, i64)>,
    ) -> Result<Option<(Vec<ConcealedEntry>, (i64, i64))>, Error> {
        use entity::Column;
        let mut condition = Condition::all().add(Column::Partner.eq(partner));
        if let Some((at_micros, record_id)) = after {
            let same = Condition::all().add(Column::AtMicros.eq(at_micros)).add(Column::RecordId.gt(record_id));
            let later = Condition::any().add(Column::AtMicros.gt(at_micros)).add(same);
            // The first condition lets the database use the key; the others are exact.
            condition = condition.add(Column::AtMicros.gte(at_micros)).add(later);
        }
        let page: Vec<(i64, i64, String)> = entity::Entity::find()
            .select_only()
            .columns([Column::AtMicros, Column::RecordId, Column::Asked])
            .filter(condition)
            .order_by_asc(Column::AtMicros)
            .order_by_asc(Column::RecordId)
            .limit(AT_ONCE)
            .into_tuple()
            .all(self.database.reader())
            .await?;
        let Some((at_micros, record_id, _)) = page.last() else { return Ok(None) };
        let last = (*at_micros, *record_id);
        let named = page
            .into_iter()
            .filter_map(|(at_micros, record_id, asked)| Some(((at_micros, record_id), texts.conceal(&asked, ERASED)?)));
        Ok(Some((named.collect(), last)))
    }
}
