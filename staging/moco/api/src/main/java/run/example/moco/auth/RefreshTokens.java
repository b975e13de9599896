package run.example.moco.auth;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Optional;

import org.springframework.data.redis.core.StringRedisTemplate;
import org.springframework.stereotype.Component;

/** Refresh tokens in Redis, by their digest, so that who reads the cache can't sign in. */
@Component
class RefreshTokens {

    private static final Duration LIFE = Duration.ofDays(14);
    private static final SecureRandom RANDOM = new SecureRandom();

    private final StringRedisTemplate redis;

    RefreshTokens(StringRedisTemplate redis) {
        this.redis = redis;
    }

    String issue(long person) {
        byte[] bytes = new byte[24];
        RANDOM.nextBytes(bytes);
        String token = HexFormat.of().formatHex(bytes);
        redis.opsForValue().set(key(token), Long.toString(person), LIFE);
        return token;
    }

    Optional<Long> owner(String token) {
        return Optional.ofNullable(redis.opsForValue().get(key(token))).map(Long::valueOf);
    }

    private static String key(String token) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8));
            return "refresh:" + HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
