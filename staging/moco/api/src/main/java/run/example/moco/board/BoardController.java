package run.example.moco.board;

import java.util.Map;

import org.springframework.http.HttpStatus;
import org.springframework.security.core.annotation.AuthenticationPrincipal;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ResponseStatusException;

import run.example.moco.board.Boards.Board;
import run.example.moco.board.Boards.Comments;
import run.example.moco.board.Boards.Page;

@RestController
@RequestMapping("/boards")
class BoardController {

    record Draft(String title, String content) {}

    record Remark(String content) {}

    record Created(long id) {}

    private final Boards boards;

    BoardController(Boards boards) {
        this.boards = boards;
    }

    @GetMapping
    Page page(@RequestParam(defaultValue = "1") int page) {
        return boards.page(Math.max(1, page));
    }

    @GetMapping("/search")
    Page search(@RequestParam(defaultValue = "") String q) {
        return boards.search(q);
    }

    @GetMapping("/{id}")
    Board board(@PathVariable long id) {
        return boards.find(id).orElseThrow(BoardController::notFound);
    }

    @PostMapping
    @ResponseStatus(HttpStatus.CREATED)
    Created add(@AuthenticationPrincipal Jwt token, @RequestBody Draft draft) {
        return new Created(boards.add(person(token), draft.title(), draft.content()));
    }

    @PutMapping("/{id}")
    Created change(@PathVariable long id, @RequestBody Draft draft) {
        found(boards.change(id, draft.title(), draft.content()));
        return new Created(id);
    }

    @DeleteMapping("/{id}")
    @ResponseStatus(HttpStatus.NO_CONTENT)
    void delete(@PathVariable long id) {
        found(boards.delete(id));
    }

    @GetMapping("/{id}/comments")
    Comments comments(@PathVariable long id) {
        return boards.comments(id);
    }

    @PostMapping("/{id}/comments")
    @ResponseStatus(HttpStatus.CREATED)
    Created comment(@AuthenticationPrincipal Jwt token, @PathVariable long id, @RequestBody Remark remark) {
        return new Created(boards.comment(person(token), id, remark.content()).orElseThrow(BoardController::notFound));
    }

    @PostMapping("/{id}/likes")
    @ResponseStatus(HttpStatus.CREATED)
    Map<String, Long> like(@PathVariable long id) {
        found(boards.like(id));
        return Map.of("board", id);
    }

    private static long person(Jwt token) {
        return Long.parseLong(token.getSubject());
    }

    private static void found(boolean any) {
        if (!any) {
            throw notFound();
        }
    }

    private static ResponseStatusException notFound() {
        return new ResponseStatusException(HttpStatus.NOT_FOUND, "no such board");
    }
}
