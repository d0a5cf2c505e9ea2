-- By whose word a session was opened: a partner's id, or an OpenID provider's issuer with the subject that it spoke of. Sessions of
-- before do not say.
ALTER TABLE account_sessions ADD COLUMN voucher TEXT;
ALTER TABLE account_sessions ADD COLUMN vouched_subject TEXT;
CREATE INDEX account_sessions_by_voucher ON account_sessions (voucher, vouched_subject) WHERE voucher IS NOT NULL;
