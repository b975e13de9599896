package run.example.moco.auth;

import java.util.Optional;

import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.security.crypto.password.PasswordEncoder;
import org.springframework.stereotype.Repository;

@Repository
class People {

    record Person(long id, String passwordHash) {}

    private final JdbcClient db;
    private final PasswordEncoder passwords;

    People(JdbcClient db, PasswordEncoder passwords) {
        this.db = db;
        this.passwords = passwords;
    }

    /** The person's id; empty where email and password don't belong together. */
    Optional<Long> signIn(String email, String password) {
        return db.sql("SELECT id, password_hash FROM person WHERE email = ?")
                .param(email)
                .query(Person.class)
                .optional()
                .filter(person -> passwords.matches(password, person.passwordHash()))
                .map(Person::id);
    }
}
