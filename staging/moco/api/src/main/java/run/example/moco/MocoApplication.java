package run.example.moco;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

@SpringBootApplication
public class MocoApplication {

    public static void main(String[] args) {
        SpringApplication.run(MocoApplication.class, args);
    }
}
