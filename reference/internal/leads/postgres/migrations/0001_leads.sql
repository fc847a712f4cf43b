-- The leads of the Lead Distro API. seq is the order in which they were placed, which decides between leads of one moment.
CREATE TABLE distro_leads (
    id          uuid PRIMARY KEY,
    seq         bigint GENERATED ALWAYS AS IDENTITY,
    campaign_id text NOT NULL,
    supplier_id text NOT NULL,
    status      text NOT NULL,
    buyer_id    text NOT NULL, -- empty if unmatched
    phone       text NOT NULL, -- empty if none was sent
    email       text NOT NULL,
    fields      json NOT NULL, -- as it was sent, to the byte
    created_at  timestamptz NOT NULL
);
CREATE INDEX distro_leads_campaign_phone ON distro_leads (campaign_id, phone);
CREATE INDEX distro_leads_campaign_email ON distro_leads (campaign_id, email);
CREATE INDEX distro_leads_supplier_phone ON distro_leads (supplier_id, phone, created_at, seq);
CREATE INDEX distro_leads_supplier_email ON distro_leads (supplier_id, email, created_at, seq);

-- How many leads of a campaign have found a buyer.
CREATE TABLE distro_turns (
    campaign_id text PRIMARY KEY,
    turns       bigint NOT NULL
);

-- How many leads count against a buyer's cap on a UTC day. A buyer without a cap isn't counted.
CREATE TABLE distro_caps (
    buyer_id text,
    day      date,
    used     integer NOT NULL,
    PRIMARY KEY (buyer_id, day)
);

-- The leads of the Insertion API.
CREATE TABLE insertion_leads (
    id               uuid PRIMARY KEY,
    user_id          uuid NOT NULL,
    account_id       text NOT NULL,
    campaign_id      bigint NOT NULL,
    external_lead_id uuid NOT NULL,
    fields           json NOT NULL, -- an object of canonical values, kept to the byte
    version          bigint NOT NULL,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    UNIQUE (account_id, campaign_id, external_lead_id),
    UNIQUE (account_id, created_at)
);
CREATE INDEX insertion_leads_campaign ON insertion_leads (account_id, campaign_id, created_at);
CREATE INDEX insertion_leads_external ON insertion_leads (account_id, external_lead_id, created_at);

-- The audit trail: one event per PATCH, each with the version that it made.
CREATE TABLE insertion_events (
    id      uuid PRIMARY KEY,
    lead_id uuid NOT NULL REFERENCES insertion_leads,
    version bigint NOT NULL,
    before  json NOT NULL,
    after   json NOT NULL,
    at      timestamptz NOT NULL,
    UNIQUE (lead_id, version)
);
