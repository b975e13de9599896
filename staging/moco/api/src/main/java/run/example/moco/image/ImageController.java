package run.example.moco.image;

import java.io.IOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;

import org.springframework.http.HttpStatus;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.multipart.MultipartFile;

/** Notes an image's digest and size and names it by them; its bytes would go to S3. */
@RestController
class ImageController {

    private final JdbcClient db;

    ImageController(JdbcClient db) {
        this.db = db;
    }

    @PostMapping("/images")
    @ResponseStatus(HttpStatus.CREATED)
    Map<String, String> upload(@RequestParam MultipartFile file) throws IOException, NoSuchAlgorithmException {
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(file.getBytes());
        String id = HexFormat.of().formatHex(digest, 0, 16);
        db.sql("INSERT INTO image (id, bytes) VALUES (?, ?) ON CONFLICT DO NOTHING").params(id, file.getSize()).update();
        return Map.of("url", "/images/" + id);
    }
}
