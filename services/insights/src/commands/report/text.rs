//! A dashboard as text.

use insights_messages::{Sentence, title};
use insights_proto::reporting::v1::{Coverage, Section as SectionName};

use super::{DashboardParts, TextView, about::About, cards, sections};

impl DashboardParts {
    /// The page for a terminal.
    pub fn text(&self, about: &About, view: TextView) -> String {
        let language = view.language;
        let mut text = self.heading(about, view);
        text.push_str(&cards::table(&self.cards, language));
        if let Some(months) = &self.months {
            text.push_str(&format!("\n{}", months.text(language)));
        }
        for section in &self.breakdowns {
            text.push_str(&format!("\n{}", sections::table(&section.breakdown, section.product.as_deref(), view)));
        }
        if let Some(trends) = &self.trends {
            let heading = title(language, SectionName::CustomerDistributionTrend.as_str_name());
            text.push_str(&format!("\n{heading}\n"));
            let tables: Vec<String> = trends.iter().map(|trend| sections::table(trend, None, view)).collect();
            text.push_str(&tables.join("\n"));
        }
        if let Some(subscriptions) = &self.subscriptions {
            text.push_str(&format!("\n{}", subscriptions.text(view)));
        }
        let Coverage { redacted, lower_bound, carried, .. } = &self.coverage;
        let marks = [(Sentence::LowerBound, lower_bound), (Sentence::Carried, carried), (Sentence::Redacted, redacted)];
        for (sentence, _) in marks.iter().filter(|it| *it.1) {
            text.push_str(&format!("\n{}\n", sentence.say(language, &[])));
        }
        text
    }

    fn heading(&self, about: &About, view: TextView) -> String {
        let language = view.language;
        let Coverage { from_month, to_month, partial, freshness, .. } = &self.coverage;
        let complete = freshness.as_ref().map(|freshness| freshness.complete_through.as_str()).unwrap_or_default();
        let covers = Sentence::Covers.say(language, &[("from", from_month), ("to", to_month), ("complete", complete)]);
        let under_way = if *partial { format!(" ({})", Sentence::UnderWay.say(language, &[])) } else { String::new() };
        let title = about.title(self.page, self.customer.as_ref(), language);
        format!("{title}  {covers}{under_way}\n{}\n\n", about.line(&self.coverage, &self.products, language))
    }
}
