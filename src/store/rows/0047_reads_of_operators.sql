-- Which operator was given which content of his account, so that it is recorded once. A row goes with its content,
-- and stays when its operator ends: no code is given twice.
CREATE TABLE operator_read (
    content BIGINT NOT NULL,
    account BIGINT NOT NULL,
    operator BIGINT NOT NULL,
    PRIMARY KEY (content, account, operator)
){clustered};
