-- Roles, databases and passwords of the platform; run at every start, changes nothing that is right already.
-- A statement that fails is not written into the log, since it may hold a password.
SET log_min_error_statement = panic;
\getenv superuser_password POSTGRES_PASSWORD
\getenv polaris_password POLARIS_PASSWORD
\getenv dagster_password DAGSTER_PASSWORD

SELECT format('CREATE ROLE %I LOGIN', wanted)
FROM unnest(ARRAY['polaris', 'dagster']) AS wanted
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) \gexec

ALTER ROLE postgres PASSWORD :'superuser_password';
ALTER ROLE polaris LOGIN PASSWORD :'polaris_password';
ALTER ROLE dagster LOGIN PASSWORD :'dagster_password';

SELECT format('CREATE DATABASE %I OWNER %I', wanted, wanted)
FROM unnest(ARRAY['polaris', 'dagster']) AS wanted
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = wanted) \gexec

REVOKE ALL ON DATABASE polaris, dagster FROM PUBLIC;
