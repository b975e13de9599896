package run.example.moco.board;

import java.util.List;
import java.util.Optional;

import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Repository;
import org.springframework.transaction.annotation.Transactional;

@Repository
class Boards {

    static final int PAGE_ROWS = 20;

    record Row(long id, String title, int likes) {}

    record Board(long id, String title, String content, int likes) {}

    record Comment(long id, String content) {}

    record Page(List<Row> content, int page, long totalPages) {}

    record Comments(List<Comment> content) {}

    private final JdbcClient db;

    Boards(JdbcClient db) {
        this.db = db;
    }

    /** Page number (from 1) of the boards, newest first. */
    @Transactional(readOnly = true)
    Page page(int number) {
        List<Row> rows = db.sql("SELECT id, title, likes FROM board ORDER BY id DESC LIMIT ? OFFSET ?")
                .params(PAGE_ROWS, (long) (number - 1) * PAGE_ROWS).query(Row.class).list();
        long count = db.sql("SELECT count(*) FROM board").query(Long.class).single();
        return new Page(rows, number, (count + PAGE_ROWS - 1) / PAGE_ROWS);
    }

    /** The newest boards whose title holds the words. */
    Page search(String words) {
        List<Row> rows = db.sql("SELECT id, title, likes FROM board WHERE strpos(title, ?) > 0 ORDER BY id DESC LIMIT ?")
                .params(words, PAGE_ROWS).query(Row.class).list();
        return new Page(rows, 1, 1);
    }

    Optional<Board> find(long id) {
        return db.sql("SELECT id, title, content, likes FROM board WHERE id = ?").param(id).query(Board.class).optional();
    }

    long add(long author, String title, String content) {
        return db.sql("INSERT INTO board (author_id, title, content) VALUES (?, ?, ?) RETURNING id")
                .params(author, title, content).query(Long.class).single();
    }

    boolean change(long id, String title, String content) {
        return db.sql("UPDATE board SET title = ?, content = ? WHERE id = ?").params(title, content, id).update() > 0;
    }

    boolean delete(long id) {
        return db.sql("DELETE FROM board WHERE id = ?").param(id).update() > 0;
    }

    boolean like(long id) {
        return db.sql("UPDATE board SET likes = likes + 1 WHERE id = ?").param(id).update() > 0;
    }

    /** A board's newest comments. */
    Comments comments(long board) {
        return new Comments(db.sql("SELECT id, content FROM comment WHERE board_id = ? ORDER BY id DESC LIMIT ?")
                .params(board, PAGE_ROWS).query(Comment.class).list());
    }

    /** The new comment's id; empty where there is no such board. */
    Optional<Long> comment(long author, long board, String content) {
        return db.sql("INSERT INTO comment (board_id, author_id, content) SELECT id, ?, ? FROM board WHERE id = ? RETURNING id")
                .params(author, content, board).query(Long.class).optional();
    }
}
