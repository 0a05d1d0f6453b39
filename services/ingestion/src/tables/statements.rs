//! Every statement on the large tables: those that grow with customers, users, subscriptions or days.
//!
//! The gateways of these tables run nothing else, so that this list is what a distributed database has to run: which statement
//! names one shard, and why another does not. `$1` is the partner, `$2` the shard (the column `cell`) where one is named.

use insights_database::bulk::Conflict;

#[cfg(test)]
use super::plans::ListedStatement;
use super::query::{DeleteByKey, Index, LockByKey, Reach, ReadByKey, Sql, WriteRows};

/// The tables that these statements are about.
#[cfg(test)]
pub(super) const LARGE_TABLES: [&str; 8] = [
    "ingestion_activity",
    "ingestion_customer",
    "ingestion_fact",
    "ingestion_feed",
    "ingestion_history",
    "ingestion_quarantine",
    "ingestion_subscription",
    "ingestion_user",
];

/// Declares statements and lists them, so that none can run that is not listed.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $kind:ident { $($body:tt)* })*) => {
        $($(#[$doc])* pub(crate) const $name: $kind = $kind { name: stringify!($name), $($body)* };)*

        #[cfg(test)]
        pub(super) fn all() -> Vec<ListedStatement> {
            vec![$(ListedStatement::from($name)),*]
        }
    };
}

const ID_LOOKUP: Reach = Reach::Partner("the shard is not known before the id is looked up");
const WAITING: Reach = Reach::Partner("what waits for one thing may lie in every shard");
const ONE_SEQUENCE: Reach = Reach::Partner("rows are in one sequence of their partner, beside the partner's own row");
const LIST_FOR_PEOPLE: Reach = Reach::Partner("answers a person's question about the whole partner");

/// The columns of a fact that is written, after those of the reach.
const FACT_COLUMNS: &[&str] =
    &["customer_no", "kind", "key", "precedence", "recorded_at", "received_at", "day", "user_no", "waits_for", "body"];

statements! {
    // ingestion_customer
    /// Where customers are, by id.
    CUSTOMERS_BY_ID = ReadByKey {
        table: "ingestion_customer",
        reach: ID_LOOKUP,
        index: Index::Second("ingestion_customer_by_id"),
        key: &["customer_id"],
        select: "customer_id, cell, customer_no",
        condition: "",
    }
    /// Customers whose own record has come, by number.
    CUSTOMERS_BY_NUMBER = ReadByKey {
        table: "ingestion_customer",
        reach: Reach::Partner("a follower names customers by their numbers alone"),
        index: Index::Third("ingestion_customer_by_no"),
        key: &["_customer_no"],
        select: "cell, customer_no, customer_id, users, first_activity, lower_bound",
        condition: "AND t.customer_no + 0 = k._customer_no AND t.known AND t.customer_no > 0",
    }
    /// The ids of customers, by number.
    CUSTOMER_IDS = ReadByKey {
        table: "ingestion_customer",
        reach: Reach::Partner("rows of every customer are taken back"),
        index: Index::Third("ingestion_customer_by_no"),
        key: &["_customer_no"],
        select: "customer_id",
        condition: "AND t.customer_no + 0 = k._customer_no",
    }
    /// The next customers whose own record has come, after one.
    CUSTOMERS_AFTER = Sql {
        table: "ingestion_customer",
        reach: Reach::Partner("a follower that rebuilds reads all customers in order of shard and number"),
        indexes: &["ingestion_customer_pkey"],
        sql: "SELECT cell, customer_no, customer_id, users, first_activity, lower_bound FROM ingestion_customer \
              WHERE partner_no = $1 AND (cell, customer_no) > ($2, $3) AND known AND customer_no > 0 \
              ORDER BY cell, customer_no LIMIT $4",
    }
    /// Locks customers in the order of their numbers.
    LOCK_CUSTOMERS = LockByKey {
        table: "ingestion_customer",
        reach: Reach::Shard,
        index: Index::PrimaryKey,
        key: &["customer_no"],
        select: "customer_no, customer_id, known, users, first_activity, lower_bound",
    }
    /// New customers, of several shards at once.
    INSERT_CUSTOMERS = WriteRows {
        table: "ingestion_customer",
        reach: Reach::Partner("ids are allocated under the partner's row, for all shards of a batch at once"),
        columns: &["cell", "customer_no", "customer_id", "known", "users", "first_activity"],
        conflict: Conflict::Fail,
    }
    /// The rows beside which unattached facts are kept.
    INSERT_UNATTACHED = WriteRows {
        table: "ingestion_customer",
        reach: Reach::Partner("once, when the partner is new"),
        columns: &["cell", "customer_no", "customer_id", "known", "users", "first_activity"],
        conflict: Conflict::Keep { key: &["partner_no", "cell", "customer_no"] },
    }
    /// What a transaction changed of customers it has locked.
    UPDATE_CUSTOMERS = WriteRows {
        table: "ingestion_customer",
        reach: Reach::Shard,
        columns: &["customer_no", "customer_id", "known", "users", "first_activity", "lower_bound"],
        conflict: Conflict::Replace {
            key: &["partner_no", "cell", "customer_no"],
            set: &["known", "users", "first_activity", "lower_bound"],
            only_if: None,
        },
    }

    /// The next customers of a shard, to look for a user at each.
    CUSTOMERS_OF_SHARD = Sql {
        table: "ingestion_customer",
        reach: Reach::Shard,
        indexes: &["ingestion_customer_pkey"],
        sql: "SELECT customer_no FROM ingestion_customer WHERE partner_no = $1 AND cell = $2 AND customer_no > $3 \
              ORDER BY customer_no LIMIT $4",
    }
    /// Deletes customers who are erased.
    DELETE_CUSTOMERS = DeleteByKey {
        table: "ingestion_customer",
        reach: Reach::Shard,
        key: &["customer_no"],
    }

    // ingestion_user
    /// How many users a customer has.
    COUNT_USERS = Sql {
        table: "ingestion_user",
        reach: Reach::Shard,
        indexes: &["ingestion_user_pkey"],
        sql: "SELECT count(*) AS records FROM ingestion_user WHERE partner_no = $1 AND cell = $2 AND customer_no = $3",
    }
    /// Deletes the users of a customer who is erased.
    DELETE_USERS_OF_CUSTOMER = Sql {
        table: "ingestion_user",
        reach: Reach::Shard,
        indexes: &["ingestion_user_pkey"],
        sql: "DELETE FROM ingestion_user WHERE partner_no = $1 AND cell = $2 AND customer_no = $3",
    }
    /// Deletes users who are erased.
    DELETE_USERS = DeleteByKey {
        table: "ingestion_user",
        reach: Reach::Shard,
        key: &["customer_no", "hash"],
    }
    /// The numbers of users, by customer and hash.
    USERS_BY_HASH = ReadByKey {
        table: "ingestion_user",
        reach: Reach::Shard,
        index: Index::PrimaryKey,
        key: &["customer_no", "hash"],
        select: "user_no",
        condition: "",
    }
    /// New users.
    INSERT_USERS = WriteRows {
        table: "ingestion_user",
        reach: Reach::Shard,
        columns: &["customer_no", "hash", "user_no"],
        conflict: Conflict::Fail,
    }

    // ingestion_subscription
    /// Subscriptions, by id.
    SUBSCRIPTIONS_BY_ID = ReadByKey {
        table: "ingestion_subscription",
        reach: ID_LOOKUP,
        index: Index::PrimaryKey,
        key: &["subscription_id"],
        select: "subscription_id, subscription_no, cell, customer_no, known",
        condition: "",
    }
    /// Reads subscriptions, by number, and locks them in that order.
    LOCK_SUBSCRIPTIONS = LockByKey {
        table: "ingestion_subscription",
        reach: Reach::Partner("says in which shard a subscription is now"),
        index: Index::Second("ingestion_subscription_by_no"),
        key: &["subscription_no"],
        select: "subscription_no, cell, customer_no, known",
    }
    /// New subscriptions.
    INSERT_SUBSCRIPTIONS = WriteRows {
        table: "ingestion_subscription",
        reach: Reach::Partner("ids are allocated under the partner's row, for all shards of a batch at once"),
        columns: &["subscription_id", "subscription_no", "cell", "customer_no", "known"],
        conflict: Conflict::Fail,
    }
    /// The customers that subscriptions belong to now.
    ATTACH_SUBSCRIPTIONS = WriteRows {
        table: "ingestion_subscription",
        reach: Reach::Partner("the directory of subscriptions is kept by id, not by shard"),
        columns: &["subscription_id", "subscription_no", "cell", "customer_no", "known"],
        conflict: Conflict::Replace {
            key: &["partner_no", "subscription_id"],
            set: &["cell", "customer_no", "known"],
            only_if: None,
        },
    }

    /// The subscriptions of a customer who is erased.
    SUBSCRIPTIONS_OF_CUSTOMER = Sql {
        table: "ingestion_subscription",
        reach: Reach::Partner("the directory of subscriptions is kept by id; it is read through for an erasure alone"),
        indexes: &["ingestion_subscription_pkey"],
        sql: "SELECT subscription_id FROM ingestion_subscription WHERE partner_no = $1 AND cell = $2 AND customer_no = $3",
    }
    /// Deletes subscriptions of a customer who is erased.
    DELETE_SUBSCRIPTIONS = DeleteByKey {
        table: "ingestion_subscription",
        reach: Reach::Partner("the directory of subscriptions is kept by id, not by shard"),
        key: &["subscription_id"],
    }

    // ingestion_fact
    /// How many facts of each kind a customer has.
    COUNT_FACTS = Sql {
        table: "ingestion_fact",
        reach: Reach::Shard,
        indexes: &["ingestion_fact_pkey"],
        sql: "SELECT kind, count(*) AS records FROM ingestion_fact WHERE partner_no = $1 AND cell = $2 AND customer_no = $3 \
              GROUP BY kind",
    }
    /// Deletes all facts of a customer who is erased.
    DELETE_FACTS_OF_CUSTOMER = Sql {
        table: "ingestion_fact",
        reach: Reach::Shard,
        indexes: &["ingestion_fact_pkey"],
        sql: "DELETE FROM ingestion_fact WHERE partner_no = $1 AND cell = $2 AND customer_no = $3",
    }
    /// Facts by key.
    FACTS_BY_KEY = ReadByKey {
        table: "ingestion_fact",
        reach: Reach::Shard,
        index: Index::PrimaryKey,
        key: &["customer_no", "kind", "key"],
        select: "customer_no, kind, key, precedence, recorded_at, received_at, day, body, waits_for",
        condition: "",
    }
    /// Facts by ranges of keys, such as those that begin with a subscription's number.
    FACTS_OF_RANGES = ReadByKey {
        table: "ingestion_fact",
        reach: Reach::Shard,
        index: Index::PrimaryKey,
        key: &["customer_no", "kind", "_low", "_high"],
        select: "customer_no, kind, key, precedence, recorded_at, received_at, day, body, waits_for",
        condition: "AND t.key >= k._low AND t.key < k._high",
    }
    /// Facts that wait, by what they wait for. The condition lets the planner take the partial index.
    FACTS_WAITING = ReadByKey {
        table: "ingestion_fact",
        reach: Reach::Shard,
        index: Index::Second("ingestion_fact_waits"),
        key: &["_customer_no", "waits_for"],
        select: "customer_no, kind, key, precedence, recorded_at, received_at, day, body, waits_for",
        condition: "AND t.customer_no + 0 = k._customer_no AND t.waits_for <> ''",
    }
    /// A customer's facts of two kinds whose days lie in a range.
    FACTS_OF_DAYS = Sql {
        table: "ingestion_fact",
        reach: Reach::Shard,
        indexes: &["ingestion_fact_pkey"],
        sql: "SELECT customer_no, kind, key, precedence, recorded_at, received_at, day, body, waits_for FROM ingestion_fact \
              WHERE partner_no = $1 AND cell = $2 AND customer_no = $3 AND kind IN ($4, $5) AND day >= $6 AND day <= $7",
    }
    /// Customers who have facts of a kind whose days lie in a range.
    CUSTOMERS_OF_DAYS = Sql {
        table: "ingestion_fact",
        reach: Reach::Shard,
        indexes: &["ingestion_fact_pkey"],
        sql: "SELECT DISTINCT customer_no FROM ingestion_fact WHERE partner_no = $1 AND cell = $2 AND customer_no > 0 \
              AND kind = $3 AND day >= $4 AND day <= $5 AND recorded_at < $6",
    }
    /// The partner's own facts of a kind, the latest day first.
    FACTS_OF_PARTNER = Sql {
        table: "ingestion_fact",
        reach: Reach::Shard,
        indexes: &["ingestion_fact_pkey"],
        sql: "SELECT day, body FROM ingestion_fact WHERE partner_no = $1 AND cell = $2 AND customer_no = 0 AND kind = $3 \
              ORDER BY day DESC LIMIT 1",
    }
    /// The partner's own facts that say that a list of customers is whole.
    CUSTOMER_LISTS = Sql {
        table: "ingestion_fact",
        reach: Reach::Shard,
        indexes: &["ingestion_fact_pkey"],
        sql: "SELECT day, recorded_at, body FROM ingestion_fact \
              WHERE partner_no = $1 AND cell = $2 AND customer_no = 0 AND kind = $3",
    }
    /// The partner's own facts of all kinds.
    ALL_FACTS_OF_PARTNER = Sql {
        table: "ingestion_fact",
        reach: Reach::Shard,
        indexes: &["ingestion_fact_pkey"],
        sql: "SELECT kind, key, body FROM ingestion_fact WHERE partner_no = $1 AND cell = $2 AND customer_no = 0",
    }
    /// Facts of customers that wait for nothing, as followers read them.
    FACTS_OF_CUSTOMERS = ReadByKey {
        table: "ingestion_fact",
        reach: Reach::Shard,
        index: Index::PrimaryKey,
        key: &["customer_no"],
        select: "kind, key, day, user_no, body, received_at, recorded_at",
        condition: "AND t.waits_for = ''",
    }
    /// New facts, of customers that are locked.
    INSERT_FACTS = WriteRows {
        table: "ingestion_fact",
        reach: Reach::Shard,
        columns: FACT_COLUMNS,
        conflict: Conflict::Fail,
    }
    /// Writes facts over those of their keys.
    UPSERT_FACTS = WriteRows {
        table: "ingestion_fact",
        reach: Reach::Shard,
        columns: FACT_COLUMNS,
        conflict: Conflict::Replace {
            key: &["partner_no", "cell", "customer_no", "kind", "key"],
            set: &["precedence", "recorded_at", "received_at", "day", "user_no", "waits_for", "body"],
            only_if: None,
        },
    }
    /// Deletes facts.
    DELETE_FACTS = DeleteByKey {
        table: "ingestion_fact",
        reach: Reach::Shard,
        key: &["customer_no", "kind", "key"],
    }
    /// Customers with facts that wait for one of these things.
    CUSTOMERS_WAITING_FOR = ReadByKey {
        table: "ingestion_fact",
        reach: WAITING,
        index: Index::Second("ingestion_fact_waits"),
        key: &["waits_for"],
        select: "cell, customer_no, waits_for",
        condition: "AND t.waits_for <> ''",
    }
    /// SKUs that are there and still waited for.
    SKUS_WAITED_FOR = Sql {
        table: "ingestion_fact",
        reach: WAITING,
        indexes: &["ingestion_fact_waits"],
        sql: "SELECT sku_id FROM ingestion_sku s WHERE partner_no = $1 AND known AND EXISTS (SELECT 1 FROM ingestion_fact f \
              WHERE f.partner_no + 0 = $1 AND f.waits_for = 'sku/' || s.sku_id AND f.waits_for <> '' LIMIT 1 OFFSET 0)",
    }
    /// What is waited for, in the order of its name, and by how many facts.
    WAITING_COUNTS = Sql {
        table: "ingestion_fact",
        reach: LIST_FOR_PEOPLE,
        indexes: &["ingestion_fact_waits"],
        sql: "SELECT waits_for, count(*) AS records FROM ingestion_fact WHERE partner_no + 0 = $1 AND waits_for <> '' \
              AND waits_for {bytes} > $2 GROUP BY waits_for ORDER BY waits_for {bytes} LIMIT $3",
    }
    /// How many facts wait.
    COUNT_WAITING = Sql {
        table: "ingestion_fact",
        reach: LIST_FOR_PEOPLE,
        indexes: &["ingestion_fact_waits"],
        sql: "SELECT count(*) AS records FROM ingestion_fact WHERE partner_no + 0 = $1 AND waits_for <> ''",
    }
    /// Customers of whom other reported rows stood at a time than stand now.
    CUSTOMERS_CHANGED_SINCE = Sql {
        table: "ingestion_fact",
        reach: Reach::Partner("a report as of an earlier time asks for the changed customers of all shards"),
        indexes: &["ingestion_fact_pkey", "ingestion_history_pkey"],
        sql: "SELECT customer_no FROM ingestion_fact WHERE partner_no = $1 AND kind IN ($3, $4, $5) AND received_at > $2 \
              UNION SELECT customer_no FROM ingestion_history WHERE partner_no = $1 AND superseded_at > $2 AND received_at <= $2",
    }

    // ingestion_history
    /// How many superseded rows a customer has.
    COUNT_HISTORY = Sql {
        table: "ingestion_history",
        reach: Reach::Shard,
        indexes: &["ingestion_history_pkey"],
        sql: "SELECT count(*) AS records FROM ingestion_history WHERE partner_no = $1 AND cell = $2 AND customer_no = $3",
    }
    /// Deletes all superseded rows of a customer who is erased.
    DELETE_HISTORY_OF_CUSTOMER = Sql {
        table: "ingestion_history",
        reach: Reach::Shard,
        indexes: &["ingestion_history_pkey"],
        sql: "DELETE FROM ingestion_history WHERE partner_no = $1 AND cell = $2 AND customer_no = $3",
    }
    /// Keeps superseded rows.
    INSERT_HISTORY = WriteRows {
        table: "ingestion_history",
        reach: Reach::Shard,
        columns: &["customer_no", "kind", "key", "received_at", "superseded_at", "recorded_at", "day", "body"],
        conflict: Conflict::Keep { key: &["partner_no", "cell", "customer_no", "kind", "key", "received_at"] },
    }
    /// Superseded rows of subscriptions.
    HISTORY_OF_SUBSCRIPTIONS = ReadByKey {
        table: "ingestion_history",
        reach: Reach::Shard,
        index: Index::PrimaryKey,
        key: &["customer_no", "kind", "_low", "_high"],
        select: "customer_no, key, recorded_at, received_at, day, body, superseded_at",
        condition: "AND t.key >= k._low AND t.key < k._high",
    }
    /// Superseded rows of customers that stood at a time.
    HISTORY_STANDING_AT = ReadByKey {
        table: "ingestion_history",
        reach: Reach::Shard,
        index: Index::PrimaryKey,
        key: &["customer_no", "_time"],
        select: "t.kind, t.key, t.day, t.body",
        condition: "AND t.received_at <= k._time AND t.superseded_at > k._time",
    }
    /// Deletes rows that were superseded before a time.
    DELETE_HISTORY_BEFORE = Sql {
        table: "ingestion_history",
        reach: Reach::Partner("what is too old may be of any customer"),
        indexes: &["ingestion_history_pkey"],
        sql: "DELETE FROM ingestion_history WHERE partner_no = $1 AND superseded_at < $2",
    }
    /// Deletes superseded rows.
    DELETE_HISTORY = DeleteByKey {
        table: "ingestion_history",
        reach: Reach::Shard,
        key: &["customer_no", "kind", "key", "received_at"],
    }

    // ingestion_activity
    /// How many chunks a customer has.
    COUNT_CHUNKS = Sql {
        table: "ingestion_activity",
        reach: Reach::Shard,
        indexes: &["ingestion_activity_pkey"],
        sql: "SELECT count(*) AS records FROM ingestion_activity WHERE partner_no = $1 AND cell = $2 AND customer_no = $3",
    }
    /// Deletes all chunks of a customer who is erased.
    DELETE_CHUNKS_OF_CUSTOMER = Sql {
        table: "ingestion_activity",
        reach: Reach::Shard,
        indexes: &["ingestion_activity_pkey"],
        sql: "DELETE FROM ingestion_activity WHERE partner_no = $1 AND cell = $2 AND customer_no = $3",
    }
    /// Chunks by key.
    CHUNKS_BY_KEY = ReadByKey {
        table: "ingestion_activity",
        reach: Reach::Shard,
        index: Index::PrimaryKey,
        key: &["customer_no", "month", "bucket"],
        select: "body",
        condition: "",
    }
    /// Chunks of customers from a month on, as followers read them.
    CHUNKS_SINCE = ReadByKey {
        table: "ingestion_activity",
        reach: Reach::Shard,
        index: Index::PrimaryKey,
        key: &["customer_no", "_month"],
        select: "month, bucket, body",
        condition: "AND t.month >= k._month",
    }
    /// A customer's chunks of some months.
    CHUNKS_OF_MONTHS = Sql {
        table: "ingestion_activity",
        reach: Reach::Shard,
        indexes: &["ingestion_activity_pkey"],
        sql: "SELECT month, bucket, body FROM ingestion_activity WHERE partner_no = $1 AND cell = $2 AND customer_no = $3 \
              AND month >= $4 AND month <= $5",
    }
    /// A customer's chunks of the first month with any, after one.
    CHUNKS_OF_NEXT_MONTH = Sql {
        table: "ingestion_activity",
        reach: Reach::Shard,
        indexes: &["ingestion_activity_pkey"],
        sql: "SELECT month, bucket, body FROM ingestion_activity WHERE partner_no = $1 AND cell = $2 AND customer_no = $3 \
              AND month = (SELECT min(month) FROM ingestion_activity WHERE partner_no = $1 AND cell = $2 AND customer_no = $3 \
              AND month > $4)",
    }
    /// Chunks of the last month of each customer.
    CHUNKS_OF_LAST_MONTH = ReadByKey {
        table: "ingestion_activity",
        reach: Reach::Shard,
        index: Index::PrimaryKey,
        key: &["customer_no"],
        select: "month, bucket, body",
        condition: "AND t.month = (SELECT max(l.month) FROM ingestion_activity AS l WHERE l.partner_no = t.partner_no \
                    AND l.cell = t.cell AND l.customer_no = t.customer_no)",
    }
    /// Chunks of the last month of all customers whose own record has come.
    CHUNKS_OF_PARTNERS_LAST_MONTH = Sql {
        table: "ingestion_activity",
        reach: Reach::Partner("after a retraction of the last day, which may leave the last day in any shard"),
        indexes: &["ingestion_activity_pkey", "ingestion_customer_pkey"],
        sql: "SELECT a.month, a.bucket, a.body FROM ingestion_activity a JOIN ingestion_customer c ON c.partner_no = a.partner_no \
              AND c.cell = a.cell AND c.customer_no = a.customer_no AND c.known WHERE a.partner_no = $1 AND a.month = \
              (SELECT max(a.month) FROM ingestion_activity a JOIN ingestion_customer c ON c.partner_no = a.partner_no \
              AND c.cell = a.cell AND c.customer_no = a.customer_no AND c.known WHERE a.partner_no = $1)",
    }
    /// Chunks of the next customers whose own record has not come, in the order of their ids.
    CHUNKS_WAITING = Sql {
        table: "ingestion_activity",
        reach: LIST_FOR_PEOPLE,
        indexes: &["ingestion_customer_pkey", "ingestion_activity_pkey"],
        sql: "SELECT c.customer_id, a.body FROM (SELECT cell, customer_no, customer_id FROM ingestion_customer \
              WHERE partner_no = $1 AND NOT known AND customer_id {bytes} > $2 AND EXISTS (SELECT 1 FROM ingestion_activity e \
              WHERE e.partner_no = $1 AND e.cell = ingestion_customer.cell AND e.customer_no = ingestion_customer.customer_no LIMIT 1 OFFSET 0) \
              ORDER BY customer_id {bytes} LIMIT $3) AS c JOIN ingestion_activity AS a \
              ON a.partner_no = $1 AND a.cell = c.cell AND a.customer_no = c.customer_no",
    }
    /// Writes chunks over those of their keys.
    UPSERT_CHUNKS = WriteRows {
        table: "ingestion_activity",
        reach: Reach::Shard,
        columns: &["customer_no", "month", "bucket", "body"],
        conflict: Conflict::Replace {
            key: &["partner_no", "cell", "customer_no", "month", "bucket"],
            set: &["body"],
            only_if: None,
        },
    }
    /// Deletes chunks.
    DELETE_CHUNKS = DeleteByKey {
        table: "ingestion_activity",
        reach: Reach::Shard,
        key: &["customer_no", "month", "bucket"],
    }

    // ingestion_feed
    /// What a version changed.
    INSERT_CHANGES = WriteRows {
        table: "ingestion_feed",
        reach: ONE_SEQUENCE,
        columns: &["customer_no", "month", "others"],
        conflict: Conflict::Fail,
    }
    /// Changes of versions after one, up to another.
    CHANGES_AFTER = Sql {
        table: "ingestion_feed",
        reach: ONE_SEQUENCE,
        indexes: &["ingestion_feed_pkey"],
        sql: "SELECT version, customer_no, month, committed_at, others FROM ingestion_feed WHERE partner_no = $1 AND version > $2 \
              AND version <= $3 ORDER BY version, customer_no LIMIT $4",
    }
    /// Changes of one version.
    CHANGES_OF_VERSION = Sql {
        table: "ingestion_feed",
        reach: ONE_SEQUENCE,
        indexes: &["ingestion_feed_pkey"],
        sql: "SELECT version, customer_no, month, committed_at, others FROM ingestion_feed WHERE partner_no = $1 AND version = $2",
    }
    /// When a version was committed.
    TIME_OF_VERSION = Sql {
        table: "ingestion_feed",
        reach: ONE_SEQUENCE,
        indexes: &["ingestion_feed_pkey"],
        sql: "SELECT committed_at FROM ingestion_feed WHERE partner_no = $1 AND version = $2 LIMIT 1",
    }
    /// The last version before one that was committed before a time.
    LAST_VERSION_BEFORE = Sql {
        table: "ingestion_feed",
        reach: ONE_SEQUENCE,
        indexes: &["ingestion_feed_pkey"],
        sql: "SELECT max(version) AS version FROM ingestion_feed WHERE partner_no = $1 AND version < $2 AND committed_at < $3",
    }
    /// Deletes changes of versions before one.
    DELETE_CHANGES_BEFORE = Sql {
        table: "ingestion_feed",
        reach: ONE_SEQUENCE,
        indexes: &["ingestion_feed_pkey"],
        sql: "DELETE FROM ingestion_feed WHERE partner_no = $1 AND version < $2",
    }

    // ingestion_quarantine
    /// Keeps rejected records; the same record wrong in the same way is kept once.
    KEEP_REJECTED = WriteRows {
        table: "ingestion_quarantine",
        reach: ONE_SEQUENCE,
        columns: &["id", "position", "kind", "field", "reason", "record_json", "size", "digest"],
        conflict: Conflict::Replace {
            key: &["(partner_no + 0)", "digest"],
            set: &["batch_id", "received_at", "position", "reason"],
            only_if: None,
        },
    }
    /// Rejected records below an id, newest first.
    REJECTED_BELOW = Sql {
        table: "ingestion_quarantine",
        reach: ONE_SEQUENCE,
        indexes: &["ingestion_quarantine_pkey"],
        sql: "SELECT id, batch_id, position, kind, field, reason, received_at, \
              CASE WHEN length(record_json) > 1048576 THEN '' ELSE record_json END AS record_json FROM ingestion_quarantine \
              WHERE partner_no = $1 AND id < $2 AND ($4 = '' OR batch_id = $4) ORDER BY id DESC LIMIT $3",
    }
    /// Rejected records, by id.
    REJECTED_BY_ID = ReadByKey {
        table: "ingestion_quarantine",
        reach: ONE_SEQUENCE,
        index: Index::PrimaryKey,
        key: &["id"],
        select: "id, batch_id, position, kind, field, reason, received_at, record_json",
        condition: "",
    }
    /// Deletes rejected records.
    DELETE_REJECTED = DeleteByKey {
        table: "ingestion_quarantine",
        reach: ONE_SEQUENCE,
        key: &["id"],
    }
    /// The newest rejected record beyond so many records and so many bytes.
    REJECTED_BEYOND = Sql {
        table: "ingestion_quarantine",
        reach: ONE_SEQUENCE,
        indexes: &["ingestion_quarantine_pkey"],
        sql: "SELECT id FROM (SELECT id, row_number() OVER (ORDER BY id DESC) AS place, \
              CAST(sum(size) OVER (ORDER BY id DESC) AS BIGINT) AS total FROM ingestion_quarantine WHERE partner_no = $1) found \
              WHERE place > $2 OR total > $3 ORDER BY id DESC LIMIT 1",
    }
    /// Deletes rejected records up to an id.
    DELETE_REJECTED_TO = Sql {
        table: "ingestion_quarantine",
        reach: ONE_SEQUENCE,
        indexes: &["ingestion_quarantine_pkey"],
        sql: "DELETE FROM ingestion_quarantine WHERE partner_no = $1 AND id <= $2",
    }
    /// Deletes rejected records that were received before a time.
    DELETE_REJECTED_BEFORE = Sql {
        table: "ingestion_quarantine",
        reach: ONE_SEQUENCE,
        indexes: &["ingestion_quarantine_pkey"],
        sql: "DELETE FROM ingestion_quarantine WHERE partner_no = $1 AND received_at < $2",
    }
    /// How many records are rejected, and how large they are.
    SIZE_OF_REJECTED = Sql {
        table: "ingestion_quarantine",
        reach: ONE_SEQUENCE,
        indexes: &["ingestion_quarantine_pkey"],
        sql: "SELECT count(*) AS records, CAST(coalesce(sum(size), 0) AS BIGINT) AS bytes FROM ingestion_quarantine \
              WHERE partner_no = $1",
    }
    /// How many records are rejected.
    COUNT_REJECTED = Sql {
        table: "ingestion_quarantine",
        reach: ONE_SEQUENCE,
        indexes: &["ingestion_quarantine_pkey"],
        sql: "SELECT count(*) AS records FROM ingestion_quarantine WHERE partner_no = $1",
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    #[test]
    fn statements_name_their_partner_and_shard_and_what_reaches_further_says_why() {
        for ListedStatement { name, table, reach, columns, sql, .. } in all() {
            assert!(LARGE_TABLES.contains(&table), "{name}: {table} is not a large table");
            let partner = sql.contains("partner_no = $1") || sql.contains("partner_no + 0 = $1");
            assert!(sql.is_empty() || sql.contains(table) && partner, "{name}: {sql}");
            match reach {
                Reach::Shard if sql.is_empty() => {
                    let first = columns.first().map(|column| column.trim_start_matches('_'));
                    assert_eq!(first, Some("customer_no"), "{name}");
                }
                Reach::Shard => assert!(sql.contains("cell = $2 AND customer_no "), "{name}: {sql}"),
                Reach::Partner(reason) => assert!(!reason.is_empty(), "{name}"),
            }
        }
    }

    #[test]
    fn no_other_file_has_a_statement_on_a_large_table() {
        let mut files = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
        let mut strays = BTreeSet::new();
        while let Some(path) = files.pop() {
            if path.is_dir() {
                files.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
            } else if !path.ends_with("statements.rs")
                && !path.ends_with("plans.rs")
                // Runs while nothing else does, on all partners.
                && !path.ends_with("times.rs")
                && !path.components().any(|part| part.as_os_str() == "migrations")
            {
                let text = fs::read_to_string(&path).unwrap();
                let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
                let named = code.flat_map(|line| LARGE_TABLES.iter().filter(move |table| line.contains(**table)));
                strays.extend(named.map(|table| format!("{}: {table}", path.display())));
            }
        }
        assert!(strays.is_empty(), "{strays:#?}");
    }
}
