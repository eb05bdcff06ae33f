//! A judgement as lines for people, Turkish and English side by side.

use super::report::{Check, Facts, Kind, Report, Run, State, Verdict};

impl Run {
    /// All files, what lies between them, and the result in the last line.
    pub fn text(&self) -> String {
        let mut out = String::new();
        for report in &self.files {
            write_report(&mut out, report, "");
            out.push('\n');
        }
        if !self.between.is_empty() {
            out.push_str("belgeler arası · between the files\n");
            self.between.iter().for_each(|check| write_check(&mut out, check, "  "));
            out.push('\n');
        }
        out.push_str(&format!("SONUÇ · RESULT: {}\n", verdict(self.verdict)));
        out
    }
}

fn write_report(out: &mut String, report: &Report, indent: &str) {
    let kind = match report.kind {
        Kind::Evidence => "delil · evidence",
        Kind::Dispatch => "KEP iletisi · dispatch",
        Kind::EvidenceMail => "delil iletisi · evidence mail",
        Kind::Unknown => "bilinmeyen belge · unknown document",
    };
    let name = report.name.as_deref().unwrap_or("-");
    out.push_str(&format!("{indent}{name}: {kind}\n"));
    let inner = format!("{indent}  ");
    if let Some(facts) = &report.evidence {
        write_facts(out, facts, &inner);
    }
    report.checks.iter().for_each(|check| write_check(out, check, &inner));
    report.enclosed.iter().for_each(|enclosed| write_report(out, enclosed, &inner));
    out.push_str(&format!("{inner}= {}\n", verdict(report.verdict)));
}

fn write_facts(out: &mut String, facts: &Facts, indent: &str) {
    let number = facts.number.map(|number| format!(" ({number})")).unwrap_or_default();
    let mut line = |title: &str, value: &str| {
        out.push_str(&format!("{indent}{title}: {value}\n"));
    };
    line("olay · event", &format!("{} · {}{number}", facts.event_turkish, facts.event_english));
    line("düzenleyen · issuer", &facts.issuer);
    line("zaman · time", &facts.event_time);
    if let Some(stamped) = &facts.stamped_at {
        line("damga · stamped", stamped);
    }
    line("gönderen · sender", &facts.sender);
    line("alıcılar · recipients", &facts.recipients.join(", "));
    if let Some(recipient) = &facts.recipient {
        line("ilgili alıcı · about", recipient);
    }
    line("konu · subject", &facts.subject);
    line("ileti · message", &facts.message_id);
}

fn write_check(out: &mut String, check: &Check, indent: &str) {
    let state = match check.state {
        State::Good => "ok  ",
        State::Bad => "BAD ",
        State::Unknown => "?   ",
        State::Note => "note",
    };
    let (name, turkish, detail) = (check.name.as_str(), &check.turkish, &check.detail);
    out.push_str(&format!("{indent}{state} {name}: {turkish} · {detail}\n"));
    if let Some(hint) = check.hint {
        out.push_str(&format!("{indent}     hint: {hint}\n"));
    }
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Valid => "GEÇERLİ · VALID",
        Verdict::Invalid => "GEÇERSİZ · INVALID",
        Verdict::CantTell => "KARAR VERİLEMİYOR · CAN'T TELL",
    }
}
