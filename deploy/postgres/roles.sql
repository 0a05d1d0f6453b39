-- One role per service, each with a schema of its own and nothing else. Run it in the database of the product before the services
-- start for the first time, as its owner with the right to make roles (CREATEROLE), or as a superuser; again changes nothing, and after
-- a restore puts back the rights that a dump does not hold:
--
--   insights migrate --roles | psql -v ON_ERROR_STOP=1 -d insights
--
-- Then say `database_url = "postgres://{service}@host/insights"`: each service connects as its own role, makes its own tables in its own
-- schema, and cannot read another's. Give the roles passwords or certificates as your installation does (`ALTER ROLE ingestion PASSWORD …`).
DO $$
DECLARE
    service text;
BEGIN
    -- Who has no role of the product has no business here; temporary tables are nobody's.
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    REVOKE ALL ON SCHEMA public FROM PUBLIC;
    FOREACH service IN ARRAY ARRAY['ingestion', 'metrics', 'reporting'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = service) THEN
            EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE', service);
        END IF;
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), service);
        -- Who is no superuser gives a schema only to a role whose rights it has.
        IF NOT pg_has_role(current_user, service, 'USAGE') THEN
            EXECUTE format('GRANT %I TO %I', service, current_user);
        END IF;
        EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I AUTHORIZATION %I', service, service);
        EXECUTE format('ALTER SCHEMA %I OWNER TO %I', service, service);
        EXECUTE format('REVOKE ALL ON SCHEMA %I FROM PUBLIC', service);
        EXECUTE format('ALTER ROLE %I IN DATABASE %I SET search_path = %I', service, current_database(), service);
        -- What services set for their connections by themselves, unless a pooler stands between.
        EXECUTE format('ALTER ROLE %I IN DATABASE %I SET timezone = ''UTC''', service, current_database());
        EXECUTE format('ALTER ROLE %I IN DATABASE %I SET enable_seqscan = off', service, current_database());
        EXECUTE format('ALTER ROLE %I IN DATABASE %I SET jit = off', service, current_database());
        EXECUTE format(
            'ALTER ROLE %I IN DATABASE %I SET idle_in_transaction_session_timeout = ''300s''', service, current_database());
    END LOOP;
END
$$;
