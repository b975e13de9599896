-- What the API's database holds. Written by whoever starts the database, before the first colour starts.
CREATE EXTENSION IF NOT EXISTS pgcrypto;
CREATE TABLE person (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text UNIQUE NOT NULL, password_hash text NOT NULL);
CREATE TABLE board (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  author_id bigint NOT NULL REFERENCES person,
  title text NOT NULL,
  content text NOT NULL,
  likes int NOT NULL DEFAULT 0
);
CREATE TABLE comment (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  board_id bigint NOT NULL REFERENCES board ON DELETE CASCADE,
  author_id bigint NOT NULL REFERENCES person,
  content text NOT NULL
);
CREATE INDEX comment_board ON comment (board_id);
CREATE TABLE image (id text PRIMARY KEY, bytes bigint NOT NULL);
