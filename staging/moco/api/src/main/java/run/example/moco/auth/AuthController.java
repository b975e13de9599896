package run.example.moco.auth;

import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ResponseStatusException;

@RestController
@RequestMapping("/auth")
class AuthController {

    record Login(String email, String password) {}

    record Refresh(String refreshToken) {}

    record Tokens(String accessToken, String refreshToken) {}

    private final People people;
    private final AccessTokens accessTokens;
    private final RefreshTokens refreshTokens;

    AuthController(People people, AccessTokens accessTokens, RefreshTokens refreshTokens) {
        this.people = people;
        this.accessTokens = accessTokens;
        this.refreshTokens = refreshTokens;
    }

    @PostMapping("/login")
    Tokens login(@RequestBody Login login) {
        long person = people.signIn(login.email(), login.password())
                .orElseThrow(() -> unauthorized("email and password don't belong together"));
        return new Tokens(accessTokens.issue(person), refreshTokens.issue(person));
    }

    /** The refresh token stays the same: clients that refresh at once would otherwise sign each other out. */
    @PostMapping("/refresh")
    Tokens refresh(@RequestBody Refresh refresh) {
        long person = refreshTokens.owner(refresh.refreshToken()).orElseThrow(() -> unauthorized("sign in again"));
        return new Tokens(accessTokens.issue(person), refresh.refreshToken());
    }

    private static ResponseStatusException unauthorized(String why) {
        return new ResponseStatusException(HttpStatus.UNAUTHORIZED, why);
    }
}
