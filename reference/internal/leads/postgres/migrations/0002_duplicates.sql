-- Whether a campaign knows a phone or an email is asked for every lead. Both in one expression, there is one index that can
-- answer: of an index by campaign and then by email, PostgreSQL may think that it is a way to a phone too, and read the whole
-- campaign. The separator is in no phone and no email, so no two pairs are one text.
DROP INDEX distro_leads_campaign_phone, distro_leads_campaign_email;
CREATE INDEX distro_leads_campaign_phone ON distro_leads ((campaign_id || E'\x1f' || phone));
CREATE INDEX distro_leads_campaign_email ON distro_leads ((campaign_id || E'\x1f' || email));
