//! A library: what was written about some questions.

/// Something that people ask about.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::demo) struct Topic {
    pub name: &'static str,
    pub question: &'static str,
    pub answer: &'static str,
    /// What speaks for the answer, and what against it.
    pub evidence: [Source; 2],
    pub criticism: Source,
}

/// Something that was written.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::demo) struct Source {
    pub title: &'static str,
    /// The host that has it.
    pub host: &'static str,
    /// What it says, in a sentence.
    pub says: &'static str,
}

const fn source(title: &'static str, host: &'static str, says: &'static str) -> Source {
    Source { title, host, says }
}

impl Topic {
    /// The topic that a text names.
    pub(in crate::demo) fn named_in(text: &str) -> Option<&'static Self> {
        let text = text.to_lowercase();
        TOPICS.iter().find(|topic| text.contains(topic.name) || text.contains(&topic.slug()))
    }

    /// Its name in an address.
    pub(in crate::demo) fn slug(&self) -> String {
        self.name.replace(' ', "-")
    }

    pub(in crate::demo) fn sources(&self) -> impl Iterator<Item = &Source> {
        self.evidence.iter().chain([&self.criticism])
    }
}

pub(in crate::demo) const TOPICS: [Topic; 8] = [
    Topic {
        name: "heat pumps in old houses",
        question: "do they pay off in a house from 1930?",
        answer: "Mostly yes, once the roof is insulated: flow temperatures then stay below 50 °C, and the pump gives three units of heat for one of electricity.",
        evidence: [
            source(
                "A field study over five winters",
                "fieldtrials.example",
                "In 41 houses built before 1940 the seasonal factor was 2.9 with and 2.3 without an insulated roof.",
            ),
            source(
                "Annual report on heating",
                "energy-office.example",
                "Running costs fell below those of gas in six houses of ten.",
            ),
        ],
        criticism: source(
            "What installers see",
            "trade-journal.example",
            "Radiators were too small in a third of the houses, and nobody had said so before.",
        ),
    },
    Topic {
        name: "night trains",
        question: "how much carbon do they save against flying?",
        answer: "About nine tenths for trips of 800 to 1,200 km; less where the locomotive burns diesel on the last part.",
        evidence: [
            source(
                "Emissions of passenger transport",
                "rail-statistics.example",
                "A berth causes 9 g of carbon a kilometre, a seat in a short flight 110 g.",
            ),
            source(
                "Review of 42 studies",
                "transport-review.example",
                "The median saving is 89 %, with a spread of 11 points.",
            ),
        ],
        criticism: source(
            "Empty beds",
            "timetable-critics.example",
            "Below four passengers in ten berths the advantage shrinks to a half.",
        ),
    },
    Topic {
        name: "sourdough and gluten",
        question: "is it easier to digest than other bread?",
        answer: "For some people: long fermentation breaks down fructans. It is not safe with coeliac disease.",
        evidence: [
            source(
                "Fructans in bread, measured",
                "food-lab.example",
                "After 24 hours of fermentation three quarters of the fructans were gone.",
            ),
            source(
                "A trial with 87 volunteers",
                "clinical-notes.example",
                "Those with an irritable bowel reported fewer complaints; the others noticed nothing.",
            ),
        ],
        criticism: source(
            "Bread and promises",
            "consumer-watch.example",
            "Loaves sold as sourdough had often fermented for less than four hours.",
        ),
    },
    Topic {
        name: "batteries in the cold",
        question: "why do bicycles lose range in winter?",
        answer: "Ions move more slowly in the cold, so usable capacity falls by about a fifth at -5 °C; kept indoors until the ride, half of the loss is avoided.",
        evidence: [
            source(
                "Cells at low temperature",
                "electrochemistry.example",
                "Capacity at -5 °C was 79 % of that at 20 °C, and came back when the cells were warm.",
            ),
            source(
                "Winter test of twelve bicycles",
                "cycling-tests.example",
                "Batteries that were fetched from indoors went 11 % further.",
            ),
        ],
        criticism: source(
            "Range, honestly",
            "cycling-forum.example",
            "Winter tyres and thick clothes explain as much of the loss as the battery does.",
        ),
    },
    Topic {
        name: "urban trees",
        question: "which of them stand drought best along streets?",
        answer: "Field maple and silver lime did best in three trials; plane trees need more room for their roots.",
        evidence: [
            source(
                "Street trees after three dry summers",
                "city-gardens.example",
                "Of 2,100 trees, 4 % of the field maples and 19 % of the sycamores died.",
            ),
            source(
                "Handbook of planting, chapter 7",
                "arboretum.example",
                "Silver lime keeps its leaves at soil moistures at which small-leaved lime drops them.",
            ),
        ],
        criticism: source(
            "The wrong question",
            "soil-people.example",
            "The volume of the pit explained more than the species in every trial that measured it.",
        ),
    },
    Topic {
        name: "river levels",
        question: "where can I get hourly ones as open data?",
        answer: "Most water authorities publish them; two of three offer an interface without a key, with a delay of 15 minutes.",
        evidence: [
            source(
                "A survey of water authorities",
                "open-data-index.example",
                "Of 38 authorities 33 publish hourly levels, 24 of them under an open licence.",
            ),
            source(
                "Notes on three interfaces",
                "hydrology-tools.example",
                "The median delay between gauge and download was 15 minutes.",
            ),
        ],
        criticism: source(
            "Gaps in the record",
            "flood-archive.example",
            "Gauges fail when they matter most: a fifth of the values of the 2021 flood are missing.",
        ),
    },
    Topic {
        name: "four-day weeks",
        question: "does output fall when people work less?",
        answer: "In offices hardly, over the year or two that were measured; where machines or shifts set the pace, it falls unless more people are hired.",
        evidence: [
            source(
                "Results of a trial with 61 firms",
                "labour-research.example",
                "Revenue rose by 1.4 % on average, and two thirds fewer people left.",
            ),
            source(
                "Two years later",
                "work-institute.example",
                "Of the firms 89 % still work so, and half have made it permanent.",
            ),
        ],
        criticism: source(
            "Who took part",
            "statistics-blog.example",
            "The firms chose themselves, and only four of them run shifts.",
        ),
    },
    Topic {
        name: "white roofs",
        question: "how much cooler do they make a city?",
        answer: "Up to a degree on hot afternoons where half of the roofs are white; in winter a little more heating is needed.",
        evidence: [
            source(
                "Ten summers of measurements",
                "urban-climate.example",
                "Districts with 40 % of light roofs were 0.7 °C cooler at three in the afternoon.",
            ),
            source(
                "A model of five cities",
                "atmosphere-group.example",
                "The effect grows with the share of light roofs, and levels off at 60 %.",
            ),
        ],
        criticism: source(
            "Dirt and glare",
            "roofers-union.example",
            "After three years without cleaning a third of the reflection is lost.",
        ),
    },
];

pub(in crate::demo) const REGIONS: [&str; 10] = [
    "Denmark",
    "the Alps",
    "Scotland",
    "Catalonia",
    "Poland",
    "the Baltics",
    "Flanders",
    "Piedmont",
    "Brittany",
    "Saxony",
];
