"""The API of the bank's own app: `/api/v1`, by bearer tokens; its description is `/api/v1/openapi.json`."""
