//! Customers month by month: how they came to be, and how many are active.

use insights_messages::{Language, Sentence, title};
use insights_proto::{
    metrics::v1::Measure,
    reporting::v1::{ActivityPoint, CustomerTotals, Movement},
};
use serde_json::{Value as Json, json};

use crate::output;

/// What is shown of months.
pub struct ShownMonths {
    /// Over the range.
    pub totals: CustomerTotals,
    /// By month.
    pub movements: Vec<Movement>,
    /// By month.
    pub activity: Vec<ActivityPoint>,
}

impl ShownMonths {
    /// One table of both, with what the movements sum to.
    pub fn text(&self, language: Language) -> String {
        let month = Sentence::Month.say(language, &[]);
        let mut columns = vec![Sentence::By.say(language, &[("dimension", &month)])];
        let measures = [
            Measure::Customers,
            Measure::ActiveCustomers,
            Measure::New,
            Measure::Existing,
            Measure::Churned,
            Measure::Returning,
        ];
        columns.extend(measures.map(|measure| title(language, measure.as_str_name()).to_lowercase()));
        let number = |count: i64| language.number(count);
        let none = || "–".to_owned();
        let mut rows: Vec<Vec<String>> = Vec::new();
        for movement in &self.movements {
            let activity = self.activity.iter().find(|point| point.month == movement.month);
            let mut row = vec![movement.month.clone()];
            row.push(activity.map_or_else(none, |point| number(point.customers)));
            row.push(activity.map_or_else(none, |point| number(point.active_customers)));
            let Movement { new_customers, existing_customers, churned_customers, returning_customers, .. } = movement;
            let counts = [*new_customers, *existing_customers, *churned_customers, *returning_customers];
            row.extend(counts.map(number));
            rows.push(row);
        }
        let mut total = vec![Sentence::Total.say(language, &[])];
        total.extend(["", "", &number(self.totals.added), "", &number(self.totals.churned), ""].map(str::to_owned));
        rows.push(total);
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        let mut text = output::table(&columns, &rows, &[false, true, true, true, true, true, true]);
        if let Some(earliest) = self.movements.iter().find(|movement| movement.earliest && movement.new_customers > 0) {
            text.push_str(&Sentence::EarliestMonth.say(language, &[("month", &earliest.month)]));
            text.push('\n');
        }
        text
    }

    /// Under the names of the API's fields.
    pub fn json(&self) -> [(&'static str, Json); 3] {
        let CustomerTotals { added, churned, net_added, last_month_churn } = self.totals;
        let movement = |of: &Movement| {
            json!({
                "month": of.month,
                "new_customers": of.new_customers,
                "existing_customers": of.existing_customers,
                "churned_customers": of.churned_customers,
                "returning_customers": of.returning_customers,
                "partial": of.partial,
                "earliest": of.earliest,
            })
        };
        let activity = |of: &ActivityPoint| {
            json!({
                "month": of.month,
                "active_customers": of.active_customers,
                "customers": of.customers,
                "partial": of.partial,
            })
        };
        [
            (
                "totals",
                json!({"added": added, "churned": churned, "net_added": net_added, "last_month_churn": last_month_churn}),
            ),
            ("movements", self.movements.iter().map(movement).collect()),
            ("activity", self.activity.iter().map(activity).collect()),
        ]
    }
}
